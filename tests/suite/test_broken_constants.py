"""Every number that a post publishes is held by a test: with another number, that test fails.

A row of `TRAJECTORY` names a constant, a case of `accepted_numbers` and how the constant is broken, which moves the losses of
the first 20 iterations by more than the tolerance. What acts too late or too little to be seen there is in `TESTS`, with the
test that fails.
"""

import importlib.util

import numpy as np
import pytest
from helpers.paths import ROOT

from common.evaluation import claims
from common.nn import layers, losses, minibatch, optimizers, random
from reproductions import accepted_numbers
from reproductions.aylien import gan as aylien
from reproductions.aylien import settings as aylien_settings
from reproductions.devnag import gan as devnag
from reproductions.devnag import settings as devnag_settings
from reproductions.jang import gan as jang
from reproductions.jang import settings as jang_settings
from reproductions.mnist import dataset, quality
from reproductions.mnist import settings as mnist_settings
from reproductions.multimodal import gan as multimodal
from reproductions.multimodal import settings as multimodal_settings

# --- Ways to break a constant: each gives a function of pytest's monkeypatch that returns changes of the settings -------------


def setting(**changes):
    return lambda monkeypatch: changes


def attribute(module, name, value):
    return lambda monkeypatch: monkeypatch.setattr(module, name, value) or {}


def published(settings, variant, **changes):
    """A variant with other values than published, wherever its settings are made."""
    return lambda monkeypatch: monkeypatch.setitem(settings.VARIANTS, variant, settings.VARIANTS[variant] | changes) or {}


NORMAL, UNIFORM, STRATIFIED = layers.normal_linears, layers.uniform_linears, random.stratified
FEATURES = minibatch.features


def wider(linears):
    """The initial weights with a 2 % larger standard deviation."""
    return lambda *args: tuple(layer._replace(w=1.02 * layer.w) for layer in linears(*args))


def more_jitter(seeds, stream, step, count, half_range):
    """The stratified noise with twice the jitter, 0.02."""
    z = STRATIFIED(seeds, stream, step, count, half_range)
    return 2 * z - np.linspace(-half_range, half_range, count, dtype=np.float32)


# --- Caught by the losses of the first 20 iterations --------------------------------------------------------------------------

A8, A8_MINIBATCH, A12_MINIBATCH, A17 = (
    'aylien_2016-08_plain', 'aylien_2016-08_minibatch', 'aylien_2016-12_minibatch', 'aylien_2017-06_plain',
)  # fmt: skip
A17_MINIBATCH, INFERRED, MODES3, JANG = (
    'aylien_2017-06_minibatch', 'multimodal_inferred_modes3', 'multimodal_guessed_modes3', 'jang_2016-06',
)  # fmt: skip
DEVNAG, OLDER = 'devnag_2018-11_moments', 'devnag_2017-02'
MNIST, JUNE, AUGUST = 'mnist_post', 'mnist_2018-06', 'mnist_2018-08'

TRAJECTORY = [
    ("aylien's learning rate of 2016-08", A8, setting(learning_rate=0.0051)),
    ("aylien's learning rate of 2016-12 with minibatch discrimination", A12_MINIBATCH, setting(learning_rate=0.0051)),
    ("aylien's learning rate of 2017-06", A17, setting(learning_rate=0.00102)),
    ("aylien's decay factor", A8, setting(decay=0.94)),
    ("aylien's decay interval", A8, attribute(aylien, 'DECAY_EVERY', 160)),
    ("aylien's pre-training steps", A8, setting(pretrain_steps=980)),
    ("aylien's pre-training range", A8, attribute(aylien, 'PRETRAIN_RANGE', 5.1)),
    ("aylien's batch", A8, setting(batch_size=13)),
    ("aylien's width of G", A8, setting(hidden_size=5)),
    ("aylien's widths of D", A8, setting(d_hidden_sizes=(8, 8, 9))),
    ("aylien's noise range", A8, setting(noise_range=8.1)),
    ("aylien's noise jitter", A17, attribute(random, 'stratified', more_jitter)),
    ("aylien's initial std", A8, attribute(layers, 'normal_linears', wider(NORMAL))),
    ("aylien's initial std of the minibatch layer", A8_MINIBATCH, attribute(minibatch, 'STDDEV', 0.021)),
    ("aylien's kernels", A8_MINIBATCH, attribute(minibatch, 'KERNELS', 4)),
    ("aylien's dimensions of a kernel", A8_MINIBATCH, attribute(minibatch, 'KERNEL_DIMS', 2)),
    ("aylien's self term of 2016-08", A8_MINIBATCH, setting(self_distance=0.0)),
    (
        "aylien's self term of 2017-06", A17_MINIBATCH,
        attribute(minibatch, 'features', lambda m, d: FEATURES(m, d) - np.exp(-d)),
    ),
    ("aylien's mean", A8, setting(mu=4.05)),
    ("aylien's std", A8, setting(sigma=0.51)),
    ("aylien's activation of D", A17, setting(activation='tanh')),
    ("aylien's beta1", A17, setting(beta1=0.89)),
    ("aylien's beta2", A17, setting(beta2=0.99)),
    ("multimodal's inferred learning rate", INFERRED, setting(learning_rate=0.102)),
    ("multimodal's inferred batch", INFERRED, setting(batch_size=57)),
    ("multimodal's means", MODES3, setting(means=(-4.1, 0.0, 4.1))),
    ("multimodal's std", MODES3, setting(deviations=(0.5, 0.5, 0.51))),
    ("multimodal's widths", MODES3, setting(hidden_sizes=(12, 12, 13))),
    ("multimodal's activation", MODES3, setting(activation='softplus')),
    ("multimodal's batch", MODES3, setting(batch_size=15)),
    ("multimodal's learning rate", MODES3, setting(learning_rate=0.031)),
    ("multimodal's noise range", MODES3, setting(noise_range=8.1)),
    ("multimodal's pre-training steps", MODES3, setting(pretrain_steps=980)),
    ("jang's learning rate", JANG, setting(learning_rate=0.00105)),
    ("jang's momentum", JANG, setting(momentum=0.61)),
    ("jang's pre-training steps", JANG, setting(pretrain_steps=980)),
    ("jang's noise range", JANG, setting(noise_range=5.1)),
    ("jang's range of the pre-training", JANG, attribute(jang, 'HALF_RANGE', 5.1)),
    ("jang's noise jitter", JANG, attribute(random, 'stratified', more_jitter)),
    ("jang's output scale", JANG, setting(output_scale=5.1)),
    ("jang's clamp", JANG, setting(clamp=0.012)),
    ("jang's batch of 2016-06", JANG, setting(batch_size=190)),
    ("jang's batch of 2015-12", 'jang_2015-12', setting(batch_size=500)),
    ("jang's widths", JANG, setting(hidden_sizes=(6, 6))),
    ("jang's initial std", JANG, attribute(layers, 'normal_linears', wider(NORMAL))),
    ("jang's mean", JANG, setting(mu=-1.05)),
    ("jang's std", JANG, setting(sigma=1.02)),
    ("devnag's learning rate", DEVNAG, setting(learning_rate=0.00102)),
    ("devnag's momentum", DEVNAG, setting(momentum=0.89)),
    ("devnag's updates of D", DEVNAG, setting(d_steps=19)),
    ("devnag's updates of G", DEVNAG, setting(g_steps=19)),
    ("devnag's width of G", DEVNAG, setting(g_hidden_size=6)),
    ("devnag's width of D", DEVNAG, setting(d_hidden_size=11)),
    ("devnag's initial weights", DEVNAG, attribute(layers, 'uniform_linears', wider(UNIFORM))),
    ("devnag's mean", DEVNAG, setting(mu=4.5)),
    ("devnag's std", DEVNAG, setting(sigma=2.0)),
    ("devnag's learning rate of 2017-02", OLDER, setting(learning_rate=0.00021)),
    ("devnag's beta1", OLDER, setting(beta1=0.89)),
    ("devnag's beta2", OLDER, setting(beta2=0.99)),
    ("devnag's batch of 2017-02", OLDER, setting(batch_size=98)),
    ("mnist's learning rate", MNIST, setting(learning_rate=0.00102)),
    ("mnist's beta1", MNIST, setting(beta1=0.89)),
    ("mnist's beta2", MNIST, setting(beta2=0.99)),
    ("mnist's batch", MNIST, setting(batch_size=127)),
    ("mnist's widths of D", MNIST, setting(d_widths=(784, 500, 201, 1))),
    ("mnist's size of the noise", MNIST, setting(g_widths=(101, 200, 500, 784))),
    ("mnist's initial std", MNIST, attribute(layers, 'normal_linears', wider(NORMAL))),
    ("mnist's learning rate of 2018-06", JUNE, setting(learning_rate=0.00102)),
    ("mnist's units of 2018-06", JUNE, setting(d_widths=(794, 129, 1))),
    ("mnist's labels of 2018-06", JUNE, setting(conditional=False, d_widths=(784, 128, 1), g_widths=(100, 128, 784))),
    ("mnist's learning rate of 2018-08", AUGUST, setting(learning_rate=0.000102)),
    ("mnist's beta1 of 2018-08", AUGUST, setting(beta1=0.51)),
    ("mnist's beta2 of 2018-08", AUGUST, setting(beta2=0.91)),
]  # fmt: skip


@pytest.mark.statistical
@pytest.mark.parametrize(('case', 'break_it'), [row[1:] for row in TRAJECTORY], ids=[row[0] for row in TRAJECTORY])
def test_a_broken_constant_departs_from_the_trajectory(case, break_it, monkeypatch):
    case = next(each for each in accepted_numbers.cases() if f'{each.post}_{each.name}' == case)
    changes = break_it(monkeypatch)
    trajectory = accepted_numbers.trajectory(case, case.settings._replace(**changes))
    assert accepted_numbers.departure(case, trajectory) > accepted_numbers.TOLERANCE


# --- Caught by another test ---------------------------------------------------------------------------------------------------


def times(function, factor):
    return lambda *args: factor * function(*args)


TESTS = [
    ("aylien's log floor", attribute(losses.clamped_log, '__defaults__', (1e-4,)), 'library/test_losses',
     'test_plain_log_gives_infinity_and_the_clamped_one_a_floor_without_gradient'),
    ("aylien's steps of 2017-06", published(aylien_settings, '2017-06', default_steps=5000), 'posts/test_aylien',
     'test_settings_are_the_published_ones'),
    ("aylien's log floor of 2017-06", published(aylien_settings, '2017-06', log_floor=1e-4), 'posts/test_aylien',
     'test_settings_are_the_published_ones'),
    ("aylien's threshold", attribute(aylien, 'success_threshold', times(aylien.success_threshold, 1.1)), 'posts/test_aylien',
     'test_success_is_what_its_docstring_says'),
    ("multimodal's reach of the means", attribute(multimodal_settings, 'REACH', 4.1), 'posts/test_multimodal',
     'test_default_modes'),
    ("multimodal's success bound", attribute(multimodal, 'success_threshold', times(multimodal.success_threshold, 1.05)),
     'posts/test_multimodal', 'test_success_is_what_its_docstring_says'),
    ("jang's decay factor", published(jang_settings, '2016-06', decay=0.94), 'posts/test_jang',
     'test_the_learning_rate_decays_every_quarter_of_the_iterations'),
    ("jang's decay interval", attribute(jang, 'DECAYS', 5), 'posts/test_jang',
     'test_the_learning_rate_decays_every_quarter_of_the_iterations'),
    ("jang's clamp, by its gradient", published(jang_settings, '2016-06', clamp=0.02), 'posts/test_jang',
     'test_the_clamp_has_no_gradient_outside'),
    ("jang's iterations", published(jang_settings, '2016-06', num_steps=9000), 'posts/test_jang',
     'test_settings_are_the_published_ones'),
    ("jang's success bound", attribute(jang, 'success_threshold', times(jang.success_threshold, 1.05)), 'posts/test_jang',
     'test_success_is_what_its_comment_says'),
    ("devnag's batch", published(devnag_settings, '2018-11', batch_size=490), 'posts/test_devnag',
     'test_settings_are_the_published_ones'),
    ("devnag's rounds", published(devnag_settings, '2017-02', default_steps=5000), 'posts/test_devnag',
     'test_settings_are_the_published_ones'),
    ("devnag's widths of 2017-02", published(devnag_settings, '2017-02', d_hidden_size=51), 'posts/test_devnag',
     'test_networks_have_the_posts_shapes'),
    ("devnag's success bound", attribute(devnag, 'success_threshold', times(devnag.success_threshold, 1.05)),
     'posts/test_devnag_outcomes', 'test_success_is_what_its_docstring_says'),
    ("mnist's iterations", published(mnist_settings, 'post', default_steps=50_000), 'posts/test_mnist',
     'test_settings_are_the_posts'),
    ("mnist's held-out digits", attribute(dataset, 'HELD_OUT', 10), 'posts/test_mnist', 'test_the_first_digits_are_held_out'),
    ("mnist's success bound", attribute(quality, 'success_threshold', times(quality.success_threshold, 1.1)),
     'posts/test_mnist_command', 'test_verdicts_follow_from_the_columns'),
    ("mnist's share of a class that must come on request", attribute(quality, 'OBEYED', 0.48), 'posts/test_mnist_command',
     'test_a_conditional_run_succeeds_if_every_class_comes_on_request'),
    ("aylien's epsilon", published(aylien_settings, '2016-08', epsilon=1e-7), 'posts/test_aylien',
     'test_settings_are_the_published_ones'),
    ("devnag's epsilon", published(devnag_settings, '2018-11', epsilon=1e-7), 'posts/test_devnag',
     'test_settings_are_the_published_ones'),
    ("mnist's epsilon", published(mnist_settings, 'post', epsilon=1e-7), 'posts/test_mnist', 'test_settings_are_the_posts'),
    ("Adam's epsilon", attribute(optimizers.adam, '__defaults__', (0.9, 0.999, 1e-7)), 'library/test_optimizers',
     'test_epsilon_of_both_adams'),
    ('level of the intervals', attribute(claims, 'CONFIDENCE', 0.9), 'library/test_claims',
     'test_wilson_interval_of_eight_in_ten'),
]  # fmt: skip


def load(file):
    """A module of the tests."""
    spec = importlib.util.spec_from_file_location(file.replace('/', '_'), ROOT / 'tests' / f'{file}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.statistical
@pytest.mark.parametrize(('break_it', 'file', 'test'), [row[1:] for row in TESTS], ids=[row[0] for row in TESTS])
def test_a_broken_constant_fails_its_test(break_it, file, test, monkeypatch):
    call = getattr(load(file), test)
    call()  # as it is, it passes
    break_it(monkeypatch)
    with pytest.raises(AssertionError):
        call()
