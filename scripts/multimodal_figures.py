"""The figures and tables of the multi-modal post: a function (runs, directory) for each part."""

import numpy as np
from tqdm import tqdm

from common import results
from reproductions import multimodal_claims

SEED = 1000  # of the ensembles; the defaults were chosen on the first 200 seeds
KEPT = ('seed', 'success', 'wasserstein', 'modes_covered', 'mode_mass_error', 'between_mass', 'mode_width', 'peak_height',
        'first_step_below', 'convergence_step')  # fmt: skip


def train(arms, runs, out, name):
    """Trains every arm and keeps its outcomes in <name>.npz: {arm: {column: [runs]}}. Those already there are not redone."""
    path, tables = out / f'{name}.npz', {}
    if path.exists():
        tables = load(path)
        tables = {arm: table for arm, table in tables.items() if arm in arms and len(table['seed']) == runs}
    for arm, settings in tqdm(arms.items(), desc=name, unit=' ensembles'):
        if arm not in tables:
            tables |= multimodal_claims.train_arms({arm: settings}, SEED, runs)
            arrays = {f'{arm}/{c}': table[c].astype(np.float32) for arm, table in tables.items() for c in KEPT}
            results.write_npz(path, arrays)
    return load(path)


def load(path):
    """What `train` kept."""
    tables = {}
    for name, values in results.read_npz(path).items():
        arm, column = name.rsplit('/', 1)
        tables.setdefault(arm, {})[column] = values.astype(np.float64)
    return tables
