"""Trains a post over a grid of settings, several seeds each, and draws a map of how often it succeeds.

  python -m reproductions sweep aylien --vary=learning_rate=0.0005..0.5:13 --vary=batch_size=4,12,48 --runs=48
  python -m reproductions sweep aylien --vary=d_hidden_sizes=4x4x4,8x8x8,16x16x16 --minibatch
  python -m reproductions sweep jang --vary=stratify=true,false --vary=batch_size=20..500:5
  python -m reproductions sweep devnag --vary=momentum=0..0.95:5:linear --num_steps=1000

One to three --vary=NAME=VALUES name what differs from cell to cell: any flag of the post that says how it trains. VALUES are a
list (4,12,48), n geometric steps (a..b:n) or n equal steps (a..b:n:linear); the widths of a network are joined by x. All other
flags of the post apply to every cell. Every cell trains the same seeds.

Numbers that change neither shapes nor code, such as learning rates, differ from run to run inside one compiled program; every
other value takes a program of its own, one after the other. A run gives what it would give alone.

Output files, in --output_dir: sweep.csv (one row per cell), results.csv (one row per run), map.png, sweep.npz (the numbers of
both tables and of the map), config.json. Ctrl-C keeps the cells that are done; --resume goes on with the others.
"""
