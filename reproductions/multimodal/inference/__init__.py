"""Which programs are compatible with everything that the multi-modal post states, whose own program is lost.

`prior` says what is unknown and what people of 2017 did, `evidence` what the post states and when a run meets it, `simulation`
trains thousands of possible programs, and `posterior` weighs them.
"""
