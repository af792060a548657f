"""mmdet's own tests, on the operators that this package serves.

    python tools/mmdet_tests.py CLONE [--write docs/reuse_in_mmdet.md]

CLONE is one of mmdet's repository, at v3.3.0. Each family of tests runs in a process of
its own, without compiled operators. A failure is put down to the network, to a
package that mmdet asks for only there, or to an operator that torchvision lacks, which
is named; whatever is left ends this with status 1.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from markdown_table import table_text, write_table

FAMILIES = {
    **dict.fromkeys(('task_modules', 'dense_heads', 'roi_heads', 'losses', 'detectors',
                     'layers', 'necks', 'seg_heads'), 'tests/test_models/test_{}'),
    'structures': 'tests/test_{}'}
CAUSES = {  # in the order in which they are looked for in what a failure says
    'the network': r'URLError|ConnectionError|Name or service not known|HTTPError|'
                   r'MaxRetryError|huggingface\.co|Network is unreachable',
    'an optional package': r"No module named '(\w+)|please (?:run|install) .*?(\w+)`?$|"
                           r'(\w+) is not installed|requires the (\w+)',
    'an operator': r"mmcv's operator '(\w+)'",
}
HEAD = ('tests of', 'passed', 'skipped', 'failed', 'for want of')


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('clone', type=Path)
    parser.add_argument('--only', nargs='+', choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument('--write', type=Path, metavar='PAGE')
    args = parser.parse_args()
    rows, unknown = [], []
    for family in args.only:
        counts, causes, left = run(args.clone.resolve(),
                                   FAMILIES[family].format(family))
        unknown += left
        rows.append((family.replace('_', ' '), *(str(counts[kind]) for kind in (
            'passed', 'skipped', 'failed')), ', '.join(
                f'{cause} ({number})' for cause, number in sorted(causes.items()))))
        print(' | '.join(rows[-1]), flush=True)
    total = [sum(int(row[place]) for row in rows) for place in (1, 2, 3)]
    rows.append(('all', *map(str, total), ''))
    for name, said in unknown:
        print(f'\n{name}\n{said}', file=sys.stderr)
    if args.write:
        write_table(args.write, 'tests of mmdet', HEAD, rows)
    print(table_text(HEAD, rows))
    return int(bool(unknown))


def run(clone: Path, folder: str
        ) -> tuple[Counter, Counter, list[tuple[str, str]]]:
    """How one family's tests ended, why some failed, and those that did otherwise."""
    with tempfile.TemporaryDirectory() as out:
        file = Path(out) / 'results.xml'
        subprocess.run(
            [sys.executable, '-m', 'pytest', '-p', 'frcnn_plugin', '-c', os.devnull,
             '--rootdir', clone, '-p', 'no:cacheprovider', '-q', f'--junitxml={file}',
             folder], cwd=clone, capture_output=True, env=dict(
                 os.environ, PYTHONPATH=str(clone), OMP_NUM_THREADS='1',
                 CUDA_VISIBLE_DEVICES=''))
        cases = list(ElementTree.parse(file).iter('testcase'))
    counts, causes, unknown = Counter(), Counter(), []
    for case in cases:
        failure = next((part for part in case
                        if part.tag in ('failure', 'error')), None)
        if failure is None:
            counts['passed' if case.find('skipped') is None else 'skipped'] += 1
            continue
        counts['failed'] += 1
        said = f'{failure.get("message")}\n{failure.text}'
        cause = cause_of(said)
        causes[cause or 'something else'] += 1
        if cause is None:
            unknown.append((f'{case.get("classname")}.{case.get("name")}',
                            said[-1500:]))
    return counts, causes, unknown


def cause_of(said: str) -> str | None:
    """What a failure is for want of, if it is none of ours."""
    for cause, pattern in CAUSES.items():
        if found := re.search(pattern, said, re.I):
            name = next((group for group in found.groups() if group), None)
            return f'`{name}`' if name else cause
    return None


if __name__ == '__main__':
    sys.exit(main())
