"""Trains every post with each of the field's well-known remedies, and tables how often it then succeeds.

  python -m reproductions remedies                            everything: many hours
  python -m reproductions remedies --only=aylien              one post: minutes
  python -m reproductions remedies --only=jang --runs=100     with fewer seeds

A remedy's strength is chosen on seeds that are not used again: the value with the largest share of successes, or with the
smallest distance to the data where shares are equal. Then held-out seeds are trained with it, the same for all remedies, and
compared with the post as published: success by Fisher's exact test, distance by Mann and Whitney's. Holm's procedure bounds the
chance of any false finding in the whole table by 5 %.

Output files, in --output_dir: <post>/<remedy>.npz (how every held-out seed ended, and the choice of the strength), remedies.csv
(one row per post and remedy), remedies.png, remedies.npz (what it is drawn from), remedies.md. What is done stays: the same
command goes on with the rest.
"""
