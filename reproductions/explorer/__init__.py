"""Makes one page on which every seed of a finished training, or every cell of a sweep, can be looked at in a browser.

  python -m reproductions.aylien --runs=1000 --record_networks=20
  python -m reproductions explore output/aylien                   writes output/aylien/explore.html
  python -m reproductions explore output/sweep_aylien             of a sweep: the map, and the seeds of each cell
  python -m reproductions explore output/aylien --page=talk.html

The page is a single file that needs no server and no network. It shows each seed as a dot; a seed's generator, discriminator
and losses; and the command that trains it alone. With --record_networks its course can be played. Keys: left and right for the
previous and the next seed, space to play.
"""
