"""Two posts' GANs as plain PyTorch loops, for the benchmark.

Dev Nag's baseline, written from the description of the program of November 2018 (four moments of 500 values, SGD 0.001 with
momentum 0.9, 20 updates of D and 20 of G per round), on one thread; and the MNIST post's GAN (784 pixels, Adam 0.001, batch
128), on every core. `benchmark.py` starts it in a process of its own. Nothing else here needs PyTorch.
Prints one line of JSON: {"steps_per_second": ...}, where a step is a round or an iteration.

    python scripts/baselines/torch_loop.py --steps=50
    python scripts/baselines/torch_loop.py --post=mnist --steps=200
"""

import argparse
import itertools
import json
import pathlib
import time

import numpy as np
import torch
from torch import nn

DIGITS = pathlib.Path(__file__).resolve().parent.parent.parent / 'reproductions' / 'data' / 'mnist10k.npz'
BATCH, D_STEPS, G_STEPS = 500, 20, 20


def perceptron(widths, between, *at_end):
    """Linear layers with an activation between them, and optionally another one at the end."""
    linears = [nn.Linear(a, b) for a, b in itertools.pairwise(widths)]
    return nn.Sequential(*[part for linear in linears for part in (linear, between)][:-1], *at_end)


def moments(x):
    centered = x - x.mean()
    std = centered.square().mean().sqrt()
    z = centered / std
    return torch.stack([x.mean(), std, (z**3).mean(), (z**4).mean() - 3])


def devnag():
    """Returns a function that trains for a round."""
    torch.set_num_threads(1)
    g, d = perceptron((1, 5, 5, 1), nn.Tanh()), perceptron((4, 10, 10, 1), nn.Sigmoid(), nn.Sigmoid())
    optimizer_g, optimizer_d = (torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9) for net in (g, d))
    criterion, real, fake = nn.BCELoss(), torch.ones(1), torch.zeros(1)

    def train_step():
        for _ in range(D_STEPS):
            d.zero_grad()
            criterion(d(moments(4 + 1.25 * torch.randn(BATCH, 1))), real).backward()
            criterion(d(moments(g(torch.rand(BATCH, 1)).detach())), fake).backward()
            optimizer_d.step()
        for _ in range(G_STEPS):
            g.zero_grad()
            criterion(d(moments(g(torch.rand(BATCH, 1)))), real).backward()
            optimizer_g.step()

    return train_step


def mnist(batch=128):
    """Returns a function that trains for an iteration on the bundled digits."""
    g, d = perceptron((100, 200, 500, 784), nn.ReLU(), nn.Sigmoid()), perceptron((784, 500, 200, 1), nn.ReLU())
    for linear in (part for part in (*g, *d) if isinstance(part, nn.Linear)):
        nn.init.normal_(linear.weight, std=(2 / linear.in_features) ** 0.5)
        nn.init.zeros_(linear.bias)
    optimizer_g, optimizer_d = (torch.optim.Adam(net.parameters(), 0.001) for net in (g, d))
    criterion, real, fake = nn.BCEWithLogitsLoss(), torch.ones(batch, 1), torch.zeros(batch, 1)
    with np.load(DIGITS) as archive:
        images = torch.from_numpy(archive['x_train'].reshape(-1, 784).astype(np.float32) / 255)

    def train_step():
        x, z = images[torch.randint(len(images), (batch,))], 2 * torch.rand(batch, 100) - 1
        optimizer_d.zero_grad()
        (criterion(d(x), real) + criterion(d(g(z).detach()), fake)).backward()
        optimizer_d.step()
        optimizer_g.zero_grad()
        criterion(d(g(z)), real).backward()
        optimizer_g.step()

    return train_step


def steps_per_second(train_step, steps):
    for _ in range(5):  # the first calls allocate and choose kernels
        train_step()
    start = time.perf_counter()
    for _ in range(steps):
        train_step()
    return steps / (time.perf_counter() - start)


POSTS = {'devnag': devnag, 'mnist': mnist}

if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--post', choices=POSTS, default='devnag')
    parser.add_argument('--steps', type=int, default=50, help='rounds or iterations to time, after 5 to warm up')
    arguments = parser.parse_args()
    torch.manual_seed(0)
    print(json.dumps({'steps_per_second': steps_per_second(POSTS[arguments.post](), arguments.steps)}))
