"""Aylien's GAN (2017-06) in JAX as jit(vmap(scan)), for the benchmark only. Prints one line of JSON.

python scripts/baselines/jax_gan.py --runs=1024 [--minibatch]
"""

import argparse
import json
import statistics
import time

import jax
import jax.numpy as jnp

HIDDEN, BATCH = 4, 8
GRID = jnp.linspace(-8, 8, BATCH)[:, None]


def init_linear(key, inputs, outputs, stddev=1.0):
    return stddev * jax.random.normal(key, (inputs, outputs)), jnp.zeros(outputs)


def dense(x, layer):
    return x @ layer[0] + layer[1]


def generator(g, z):
    return dense(jax.nn.softplus(dense(z, g[0])), g[1])


def discriminator(d, x, minibatch):
    h = jax.nn.relu(dense(jax.nn.relu(dense(x, d[0])), d[1]))
    if minibatch:
        m = dense(h, d[2]).reshape(BATCH, 5, 3)
        h = jnp.concatenate([h, jnp.exp(-jnp.abs(m[:, None] - m[None]).sum(3)).sum(1)], 1)
    else:
        h = jax.nn.relu(dense(h, d[2]))
    return jax.nn.sigmoid(dense(h, d[3]))


def log(p):
    return jnp.log(jnp.maximum(p, 1e-5))


def adam(params, gradients, opt_state, count):
    t = count + 1.0
    learning_rate = 0.001 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, opt_state[0], gradients)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, opt_state[1], gradients)
    return jax.tree.map(lambda w, m, v: w - learning_rate * m / (jnp.sqrt(v) + 1e-8), params, m, v), (m, v)


def train(key, minibatch, steps):
    keys = jax.random.split(key, 7)
    g = (init_linear(keys[0], 1, HIDDEN), init_linear(keys[1], HIDDEN, 1))
    middle = init_linear(keys[4], 8, 15, 0.02) if minibatch else init_linear(keys[4], 8, 8)
    d = (init_linear(keys[2], 1, 8), init_linear(keys[3], 8, 8), middle, init_linear(keys[5], 13 if minibatch else 8, 1))

    def zeros(params):
        return jax.tree.map(jnp.zeros_like, params), jax.tree.map(jnp.zeros_like, params)

    def step(carry, count):
        g, d, opt_state_g, opt_state_d = carry
        x_key, d_key, g_key = jax.random.split(jax.random.fold_in(keys[6], count), 3)
        x = 4 + 0.5 * jax.random.normal(x_key, (BATCH, 1))
        z = GRID + 0.01 * jax.random.uniform(d_key, (BATCH, 1))

        def loss_d(d):
            fake = discriminator(d, generator(g, z), minibatch)
            return jnp.mean(-log(discriminator(d, x, minibatch)) - log(1 - fake))

        value_d, gradient = jax.value_and_grad(loss_d)(d)
        d, opt_state_d = adam(d, gradient, opt_state_d, count)
        z = GRID + 0.01 * jax.random.uniform(g_key, (BATCH, 1))
        value_g, gradient = jax.value_and_grad(lambda g: jnp.mean(-log(discriminator(d, generator(g, z), minibatch))))(g)
        g, opt_state_g = adam(g, gradient, opt_state_g, count)
        return (g, d, opt_state_g, opt_state_d), (value_d, value_g)

    (g, *_), losses = jax.lax.scan(step, (g, d, zeros(g), zeros(d)), jnp.arange(steps))
    return g, jax.tree.map(lambda loss: loss[::50], losses)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--runs', type=int, default=1024, help='seeds trained at once')
    parser.add_argument('--steps', type=int, default=2000, help='training steps')
    parser.add_argument('--repeats', type=int, default=5, help='measurements; the median is printed')
    parser.add_argument('--minibatch', action='store_true', help='with minibatch discrimination')
    arguments = parser.parse_args()
    many = jax.jit(jax.vmap(lambda key: train(key, arguments.minibatch, arguments.steps)))
    runs_keys = jax.random.split(jax.random.key(0), arguments.runs)
    jax.block_until_ready(many(runs_keys))
    throughputs = []
    for _ in range(arguments.repeats):
        start = time.perf_counter()
        jax.block_until_ready(many(runs_keys))
        throughputs.append(arguments.runs * arguments.steps / (time.perf_counter() - start))
    print(json.dumps({'seed_steps_per_second': statistics.median(throughputs)}))
