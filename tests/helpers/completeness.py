"""What a post needs besides its folder, so that nobody forgets a part."""

import configparser
import json

from reproductions import accepted_numbers, contract


def incomplete(name, root):
    """What a post of a checkout lacks, as a list of texts."""
    setup = configparser.ConfigParser()
    setup.read(root / 'setup.cfg', encoding='utf-8')
    claims = json.loads((root / 'reproductions/reference/suite/claims.json').read_text(encoding='utf-8'))
    manifest = (root / 'figures/manifest.json').read_text(encoding='utf-8')
    post = contract.post(name)
    suite = root / 'reproductions/reference/suite'
    courses = {case.variant for case in accepted_numbers.of(name) if (suite / f'{name}_{case.name}_course.csv').exists()}
    traces = [*(root / 'tests/data').glob(f'{post.traces or name}_*.npz')]
    needed = {
        'its package in setup.cfg': f'reproductions.{name}' in setup['options']['packages'].split(),
        f'its page, docs/{name}.md': (root / f'docs/{name}.md').exists(),
        'a row in README.md': f'docs/{name}.md' in (root / 'README.md').read_text(encoding='utf-8'),
        'a place in mkdocs.yml': f'{name}.md' in (root / 'mkdocs.yml').read_text(encoding='utf-8'),
        'accepted claims, reproductions/reference/suite/claims.json': bool(claims.get(name)),
        'a recorded run, tests/data, or `no_trace`': bool(traces) or bool(post.no_trace),
        'accepted numbers of every variant': courses == set(post.settings.VARIANTS),
        f'its tests, tests/posts/test_{name}.py': (root / f'tests/posts/test_{name}.py').exists(),
        'figures, figures/manifest.json': f'"{name}' in manifest,
    }
    return [what for what, there in needed.items() if not there]
