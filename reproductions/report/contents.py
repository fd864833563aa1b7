"""What the report says: outcomes beside the authors', figures and claims."""

import json

import numpy as np

from common.evaluation import metrics, two_sample
from common.storage import files
from reproductions import posts
from reproductions.aylien import claims as aylien_claims
from reproductions.aylien import gan as aylien
from reproductions.devnag import claims as devnag_claims
from reproductions.devnag import gan as devnag
from reproductions.devnag import outcomes as devnag_outcomes
from reproductions.jang import claims as jang_claims
from reproductions.jang import gan as jang
from reproductions.report import jobs as report_jobs

BY_QUANTILES = 'success by quantiles'  # all that is known of the authors' runs


def describe(values):
    """Median and quartiles over the finite ones of [n] values: {'median', 'low', 'high', 'n'}; None where there is none."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return {'median': float(middle), 'low': float(low), 'high': float(high), 'n': int(values.size)}


def rate(values):
    """Share of [n] ones: {'share', 'n'}."""
    return {'share': float(np.mean(values)), 'n': len(values)}


def compared(setting, ours, theirs, columns, targets, stated):
    """Rows of a table of ours beside the authors' program and the post.

    Args:
      setting: what was run, in words.
      ours: {column: [runs]} of results.csv.
      theirs: {column: [runs]} of the authors' program, or None; both then have `BY_QUANTILES` too.
      columns: names that both have, which a Kolmogorov-Smirnov test compares; the rates by Fisher's.
      targets: {column: number}, what a perfect generator gives; its columns are shown.
      stated: {column: text}, what the post says.
    """
    p_values = two_sample.compare(ours, theirs, columns, ('finite', BY_QUANTILES)) if theirs else {}
    kept = {'ours': ours} | ({'authors': theirs} if theirs else {})
    rows = []
    rates = [name for name in ('finite', 'success', BY_QUANTILES, 'collapsed') if name in ours]
    for name in (*rates, *targets):
        summary = rate if name in rates else describe
        found = {who: summary(table[name]) if name in table else None for who, table in kept.items()}
        row = {'setting': setting, 'quantity': name, 'authors': None, **found, 'p': p_values.get(name)}
        rows.append(row | {'target': targets.get(name), 'stated': stated.get(name)})
    return rows


def comparison(post, directory):
    """The rows of `compared` for a post's ensembles in `directory`; those that failed are left out."""

    def table(name):
        path = directory / name / 'results.csv'
        return files.read_csv(path) if path.exists() else None

    def judged(outcomes, truth, bound):
        success = (outcomes['finite'] == 1) & (metrics.quantile_distance(outcomes, truth) < bound)
        return outcomes | {BY_QUANTILES: success.astype(int)}

    if post == 'aylien':
        settings = aylien.make_settings()
        rule = aylien.truth(settings), aylien.success_bound(settings)
        targets = {'mean': 4.0, 'std': 0.5, 'd_mean': None}
        cases = [
            (name, rule, aylien_claims.original('2016-08', name), aylien_claims.COMPARED, targets, {'mean': 'at 4'})
            for name in ('plain', 'minibatch')
        ]
    elif post == 'jang':
        targets = {'mean': -1.0, 'std': 1.0, 'd_mean': 0.5, 'loss_d': 2 * np.log(2), 'loss_g': np.log(2), 'pretrain_mse': 0.0}
        stated = {'loss_d': '1.386', 'loss_g': '0.693', 'd_mean': '0.5', 'pretrain_mse': 'about 0.01'}
        rule = jang.TRUTH, jang.SUCCESS_BOUND
        cases = [('many', rule, jang_claims.original(), jang_claims.COMPARED, targets, stated)]
    elif post == 'devnag':
        targets, stated = {'mean': 4.0, 'std': 1.25, 'skewness': 0.0, 'kurtosis': 0.0}, {'success': '8 of 10'}
        settings = devnag.make_settings()
        rule = devnag_outcomes.truth(settings), devnag_outcomes.success_bound(settings)
        cases = [('many', rule, devnag_claims.original(), devnag_claims.COMPARED, targets, stated)]
    elif post == 'multimodal':
        targets = {'convergence_step': None, 'modes_covered': None, 'wasserstein': 0.0, 'peak_height': 1.0}
        steps = {1: '20 to 30', 2: '20 to 30', 3: '300'}
        cases = [
            (f'modes{modes}', None, None, (), targets | {'modes_covered': float(modes)}, {'convergence_step': step})
            for modes, step in steps.items()
        ]
    else:
        path = directory / 'claims' / 'references.json'
        real = json.loads(path.read_text()) if path.exists() else {'test': {}, 'training': {}}
        targets = {name: real['test'].get(name) for name in ('classes_covered', 'largest_share', 'score')}
        targets |= {'frechet': real['training'].get('frechet'), 'd_real': 0.5, 'd_fake': 0.5}
        cases = [(name, None, None, (), targets, {'d_real': '0.5', 'd_fake': '0.5'}) for name in ('claims', 'gentle')]
    words = {'many': '', 'claims': "the post's training", 'gentle': 'more gently'}
    rows = []
    for name, rule, theirs, *rest in cases:
        ours = table(name)
        if ours is not None:
            if theirs:
                ours, theirs = judged(ours, *rule), judged(theirs, *rule)
            rows += compared(words.get(name, name), ours, theirs, *rest)
    return rows


def collect(chosen, jobs, directory, failed):
    """Everything that the page says: what goes into report.json."""
    recorded = posts.recorded_claims()
    found = []
    for post in chosen:
        path = directory / post / 'claims' / 'claims.json'
        accepted = {claim['claim']: claim for claim in recorded[post]}
        measured = json.loads(path.read_text()) if path.exists() and (post, 'claims') not in failed else []
        own = [job for job in jobs if job.post == post]
        found.append(
            posts.page_parts(post)
            | {
                'post': post,
                'claims': [claim | {'recorded': summary_of(accepted[claim['claim']])} for claim in measured],
                'comparison': comparison(post, directory / post),
                'jobs': [
                    {
                        'name': job.name,
                        'command': job.command,
                        'failed': failed.get((post, job.name)),
                        'figures': [
                            {'file': str(job.place / file), 'caption': caption}
                            for file, caption in job.figures.items()
                            if (directory / job.place / file).exists()
                        ],
                    }
                    for job in own
                ],
            }
        )
    return {'versions': report_jobs.versions_used(), 'posts': found}


def summary_of(claim):
    """The verdict of an accepted claim, and over how many runs its first number was measured."""
    return {'verdict': claim['verdict'], 'n': next(iter(claim['measured'].values()))['n']}
