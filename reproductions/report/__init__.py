"""Runs every post over many seeds and writes one page of what came out: index.html, and its numbers in report.json.

  python -m reproductions report                        100 seeds a post, MNIST on a short schedule
  python -m reproductions report --runs=1000            the full one: many hours
  python -m reproductions report --only=aylien,jang     these posts

Two commands run side by side. Ctrl-C keeps what is done, and the same command goes on from there: a command that was finished
with the same flags and versions is not run again.
"""

FEWEST, FULL = 100, 1000  # seeds: fewer are too few to judge a claim by; from so many on, MNIST takes its full schedule
