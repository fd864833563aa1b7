"""The numbers behind figures; the committed pictures are drawn from theirs, and the manifest lists them."""

import json
import shutil

import matplotlib
import numpy as np
import pytest
from helpers.paths import ROOT
from PIL import Image

from common.plotting import figures
from common.storage import files

COMMITTED = ROOT / 'figures'
MANIFEST = json.loads((COMMITTED / 'manifest.json').read_text(encoding='utf-8'))
BINS = figures.Bins(np.linspace(-8, 8, 100), np.linspace(-8, 8, 99))
ANIMATION = {
    'title': 'animation', 'step': [0, 1], 'decision': np.zeros((2, 5)), 'real': np.zeros(99), 'generated': np.zeros((2, 99)),
    'grid': np.linspace(-8, 8, 5), 'places': BINS.places, 'shown': (-6, 6, 1),
}  # fmt: skip


@pytest.fixture
def make_figures(monkeypatch):
    """The script, which is outside the packages."""
    monkeypatch.syspath_prepend(ROOT / 'scripts')
    import make_figures

    return make_figures


def test_density_is_normalized_over_the_values_in_range():
    values = np.concatenate([np.random.default_rng(0).normal(0, 1, 1000), [50.0, -9.0, np.nan, np.inf]])
    density = figures.density(values, BINS)
    assert density.shape == (99,)
    assert density.sum() * 16 / 99 == pytest.approx(1)
    np.testing.assert_allclose(density, np.histogram(values[:1000], np.linspace(-8, 8, 100), density=True)[0])


def test_density_is_zero_if_no_value_is_in_range():
    np.testing.assert_array_equal(figures.density(np.array([9.0, np.nan]), BINS), np.zeros(99))


def test_a_figure_is_drawn_from_the_numbers_as_they_were_saved(tmp_path):
    arrays = {'title': 'N(4, ½)', 'steps': 7, 'banded': True, 'labels': ['best (seed 3)', ''], 'best (seed 3)': np.arange(3.0)}
    found = figures.write(tmp_path / 'f.png', figures.numbers, arrays)
    assert (found['title'], found['steps'], found['banded']) == ('N(4, ½)', 7, True)
    assert found['labels'].tolist() == ['best (seed 3)', ''] and found['best (seed 3)'].tolist() == [0, 1, 2]
    with pytest.raises(files.BadArchive, match='does not exist'):
        figures.numbers(tmp_path / 'another.png')


def test_an_ensemble_of_diverged_runs_is_drawn_and_says_so(tmp_path):
    nothing = np.full(3, np.nan)
    arrays = {'title': 'all diverged', 'finite': np.zeros(3), 'success': np.zeros(3), 'mean': nothing, 'std': nothing}
    arrays |= {'labels': np.array([], str), 'real': np.zeros(99), 'places': BINS.places, 'truth': [4, 0.5]}
    figures.write(tmp_path / 'e.png', figures.ensemble, arrays)
    assert (tmp_path / 'e.png').stat().st_size > 5000


@pytest.mark.skipif(not shutil.which('ffmpeg'), reason='ffmpeg is not on the path')
def test_mp4_if_ffmpeg_is_installed(tmp_path):
    path = tmp_path / 'f.mp4'
    assert list(figures.write(path, figures.animation, ANIMATION)) == [0, 1]
    assert path.read_bytes()[4:8] == b'ftyp'


def test_an_aborted_animation_leaves_no_picture(tmp_path):
    frames = figures.write(tmp_path / 'f.gif', figures.animation, ANIMATION)
    next(frames)
    frames.close()
    assert [path.name for path in tmp_path.iterdir()] == ['f.npz']


def test_the_manifest_lists_every_committed_picture_and_nothing_else(make_figures):
    assert MANIFEST['pictures'] == make_figures.manifest() and MANIFEST['matplotlib'] == make_figures.drawn_with()
    listed = [picture['file'] for picture in MANIFEST['pictures']]
    found = [path for kind in ('png', 'gif', 'svg') for path in COMMITTED.glob(f'*/*.{kind}')]
    assert sorted(listed) == sorted(str(path.relative_to(COMMITTED)) for path in found)
    data = [name for picture in MANIFEST['pictures'] for name in picture['data']]
    assert [name for name in data if not (COMMITTED / name).exists()] == []
    page = (COMMITTED / 'README.md').read_text(encoding='utf-8')
    for name in [*listed, *data]:
        assert f'({name})' in page
    for picture in MANIFEST['pictures']:  # its command names a part that exists
        post, part = (word.partition('=')[2] for word in picture['command'].split()[-2:])
        assert part in make_figures.POSTS[post].PARTS


def test_pages_show_every_figure_of_their_post():
    for picture in MANIFEST['pictures']:
        page = (ROOT / 'docs' / f'{picture["post"]}.md').read_text(encoding='utf-8')
        assert not picture['in_the_post'] or f'(../figures/{picture["file"]})' in page, picture['file']


def pixels(path):
    """The frames of a picture, [frames, height, width, 3]."""
    with Image.open(path) as image:
        frames = []
        for i in range(getattr(image, 'n_frames', 1)):
            image.seek(i)
            frames.append(np.asarray(image.convert('RGB')))
    return np.stack(frames)


def redraws_to_the_last_pixel(make_figures, name, directory):
    post, _, file = name.partition('/')
    shutil.copy((COMMITTED / name).with_suffix('.npz'), directory)
    make_figures.POSTS[post].PICTURES[file].draw(directory / file)
    np.testing.assert_array_equal(pixels(directory / file), pixels(COMMITTED / name), name)


same_matplotlib = pytest.mark.skipif(
    MANIFEST['matplotlib'] != [matplotlib.__version__], reason='the pictures were drawn with another version of matplotlib'
)


@same_matplotlib
@pytest.mark.parametrize(
    'name',
    ['aylien/plain_final.png', 'aylien/plain_ensemble.png', 'jang/losses.png', 'jang/after.png', 'devnag/one.png',
     'multimodal/convergence.png', 'mnist/progress.png', 'mnist/losses.png'],
)  # fmt: skip
def test_committed_pictures_are_drawn_from_the_numbers_beside_them(make_figures, tmp_path, name):
    redraws_to_the_last_pixel(make_figures, name, tmp_path)


@same_matplotlib
@pytest.mark.statistical
def test_every_committed_still_is_drawn_from_the_numbers_beside_it(make_figures, tmp_path):
    names = [picture['file'] for picture in MANIFEST['pictures'] if picture['file'].endswith('.png')]
    assert set(names) == {f'{post}/{file}' for post in make_figures.POSTS for file in make_figures.POSTS[post].PICTURES
                          if file.endswith('.png')}  # fmt: skip
    for name in names:
        redraws_to_the_last_pixel(make_figures, name, tmp_path)


@same_matplotlib
@pytest.mark.parametrize('name', ['aylien/plain_animation.gif', 'devnag/animation.gif', 'mnist/animation.gif'])
def test_committed_animations_begin_with_the_frames_of_their_numbers(make_figures, tmp_path, name):
    post, _, file = name.partition('/')
    frames = 3
    arrays = figures.numbers(COMMITTED / name)
    count = len(arrays['step'])
    shorter = {key: value[:frames] if np.shape(value)[:1] == (count,) else value for key, value in arrays.items()}
    assert list(figures.write(tmp_path / file, make_figures.POSTS[post].PICTURES[file].draw, shorter)) == [
        *arrays['step'][:frames]
    ]
    committed = pixels(COMMITTED / name)
    assert len(committed) == count
    np.testing.assert_array_equal(pixels(tmp_path / file), committed[:frames])


def test_redrawing_a_part_reads_only_its_numbers(make_figures, tmp_path):
    (tmp_path / 'aylien').mkdir()
    shutil.copy(COMMITTED / 'aylien' / 'data.npz', tmp_path / 'aylien')
    make_figures.redraw(['aylien'], 'data', tmp_path)
    assert sorted(path.name for path in tmp_path.glob('*/*.png')) == ['data.png']
    assert pixels(tmp_path / 'aylien' / 'data.png').shape == pixels(COMMITTED / 'aylien' / 'data.png').shape
