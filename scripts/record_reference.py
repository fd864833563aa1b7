"""Trains the suite's reference cases, reports what moved relative to the accepted numbers, and accepts the new ones on request.

python scripts/record_reference.py                    reports what moved, in every post; writes nothing
python scripts/record_reference.py --post=jang        one post
python scripts/record_reference.py --claims           only the verdicts of figures/<post>/claims.json, without training
python scripts/record_reference.py --post=jang --write    accepts what the code gives now

Everything takes about ten minutes on 2 cores. The exit status is 1 if something moved beyond its tolerance and was not
accepted.
"""

import argparse
import json
import sys

import numpy as np
from checkout import ROOT
from tqdm import tqdm

from common.evaluation import two_sample
from common.storage import files
from reproductions import accepted_numbers, contract

SUITE = ROOT / 'reproductions' / 'reference' / 'suite'


def trajectory_moved(case, write):
    """Whether the losses of the first iterations departed from the accepted ones; prints by how much."""
    trajectory = accepted_numbers.trajectory(case)
    path = SUITE / f'{case.post}_{case.name}_course.csv'
    departure = accepted_numbers.departure(case, trajectory) if path.exists() else np.inf
    tqdm.write(f'  trajectory: largest relative departure {departure:.1e}, tolerance {accepted_numbers.TOLERANCE:.0e}')
    if write:
        files.write_csv(path, trajectory)
    return departure > accepted_numbers.TOLERANCE


def outcomes_moved(case, write):
    """Whether the outcomes differ significantly from the accepted ones; prints how every column moved."""
    table = accepted_numbers.kept(case, case.train(case.settings, case.seed, case.runs)[0])
    path = SUITE / f'{case.post}_{case.name}.csv'
    rejected = ['?']
    if path.exists():
        accepted, p_values = accepted_numbers.recorded_outcomes(case), accepted_numbers.compare(case, table)
        for (_, column), p in p_values.items():
            if column in accepted_numbers.RATES:
                fractions = [np.mean(sample[column] == 1) for sample in (accepted, table)]
                tqdm.write(f'  {column}: {fractions[0]:.1%} -> {fractions[1]:.1%}, p = {p:.2g}')
            else:
                before, after, errors = two_sample.moved(table[column], accepted[column])
                tqdm.write(f'  {column}: median {before:.4g} -> {after:.4g}, {errors:+.1f} standard errors, p = {p:.2g}')
        rejected = two_sample.rejected(p_values, accepted_numbers.FAMILY_WISE)
    if write:
        files.write_csv(path, table)
    return bool(rejected)


def claims_moved(names, write):
    """Whether anything in figures/<post>/claims.json differs from the accepted verdicts and numbers; prints what."""
    path = SUITE / 'claims.json'
    accepted = json.loads(path.read_text(encoding='utf-8')) if path.exists() else {}
    measured = {name: json.loads((ROOT / 'figures' / name / 'claims.json').read_text(encoding='utf-8')) for name in names}
    for name, claims in measured.items():
        before = {claim['claim']: claim for claim in accepted.get(name, [])}
        for claim in claims:
            old = before.get(claim['claim'], {'verdict': 'none'})
            if claim != old:
                same = ' (same verdict, different numbers)' if claim['verdict'] == old['verdict'] else ''
                print(f'{claim["claim"]}: {old["verdict"]} -> {claim["verdict"]}{same}')
    moved = any(accepted.get(name) != claims for name, claims in measured.items())
    if write and moved:
        everything = accepted | measured
        files.write_json(path, {name: everything[name] for name in contract.NAMES if name in everything})
    return moved


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--post', choices=contract.NAMES, help='only this post')
    parser.add_argument('--claims', action='store_true', help='only the verdicts of the claims')
    parser.add_argument('--write', action='store_true', help='accept the new numbers (default: a dry run)')
    arguments = parser.parse_args()
    names = [arguments.post] if arguments.post else contract.NAMES
    moved = ['claims'] if claims_moved(names, arguments.write) else []
    cases = [] if arguments.claims else [case for case in accepted_numbers.cases() if case.post in names]
    for case in tqdm(cases, desc='references', unit=' cases', leave=False, disable=None):
        tqdm.write(f'{case.post} {case.name}')
        moved += [f'{case.post} {case.name}, trajectory'] if trajectory_moved(case, arguments.write) else []
        moved += [f'{case.post} {case.name}, outcomes'] if case.runs and outcomes_moved(case, arguments.write) else []
    print('moved: ' + '; '.join(moved) if moved else 'nothing moved')
    if moved or arguments.write:
        print('accepted' if arguments.write else 'nothing was written (--write accepts)')
    return int(bool(moved) and not arguments.write)


if __name__ == '__main__':
    sys.exit(main())
