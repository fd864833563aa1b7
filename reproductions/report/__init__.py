"""Trains every post over many seeds and writes one page of results: index.html, and its numbers as report.json.

  python -m reproductions report                        100 seeds per post, MNIST on a short schedule
  python -m reproductions report --runs=1000            the full report: many hours
  python -m reproductions report --only=aylien,jang     only these posts

Several commands run in parallel (--processes). After Ctrl-C the same command resumes: finished commands are kept, and are not
run again unless flags or versions have changed.
"""

FEWEST, FULL = 100, 1000  # seeds: fewer cannot settle a claim; with this many or more, MNIST takes its full schedule
