"""The Dev Nag post's way of running, as the benchmark's baseline: a plain PyTorch loop, one thread.

Written from the description of the program of November 2018 (four moments of 500 values, SGD 0.001 with momentum 0.9, 20
updates of D and 20 of G a round), and started by `benchmark.py` in a process of its own.
Needs PyTorch, which nothing else here does.
Prints one line of JSON: {"steps_per_second": ...}, where a step is a round.

    python scripts/torch_loop.py --steps=50
"""

import argparse
import json
import time

import torch
from torch import nn

BATCH, D_STEPS, G_STEPS = 500, 20, 20


class Perceptron(nn.Module):
    """Three linear layers with one activation in between, and perhaps another at the end."""

    def __init__(self, inputs, hidden, between, at_end=None):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(inputs, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, 1)])
        self.between, self.at_end = between, at_end

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = self.between(layer(x))
        x = self.layers[-1](x)
        return self.at_end(x) if self.at_end else x


def moments(x):
    centred = x - x.mean()
    deviation = centred.square().mean().sqrt()
    z = centred / deviation
    return torch.stack([x.mean(), deviation, (z**3).mean(), (z**4).mean() - 3])


def steps_per_second(steps):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    g, d = Perceptron(1, 5, torch.tanh), Perceptron(4, 10, torch.sigmoid, torch.sigmoid)
    optimizer_g, optimizer_d = (torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9) for net in (g, d))
    criterion, real, fake = nn.BCELoss(), torch.ones(1), torch.zeros(1)

    def play():
        for _ in range(D_STEPS):
            d.zero_grad()
            criterion(d(moments(4 + 1.25 * torch.randn(BATCH, 1))), real).backward()
            criterion(d(moments(g(torch.rand(BATCH, 1)).detach())), fake).backward()
            optimizer_d.step()
        for _ in range(G_STEPS):
            g.zero_grad()
            criterion(d(moments(g(torch.rand(BATCH, 1)))), real).backward()
            optimizer_g.step()

    for _ in range(5):  # the first calls allocate and choose kernels
        play()
    start = time.perf_counter()
    for _ in range(steps):
        play()
    return steps / (time.perf_counter() - start)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--steps', type=int, default=50, help='rounds to time, after 5 that are not')
    arguments = parser.parse_args()
    print(json.dumps({'steps_per_second': steps_per_second(arguments.steps)}))
