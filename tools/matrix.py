"""Does it work with the versions that setup.cfg allows, the oldest and the newest?

    python tools/matrix.py [--pythons 3.11 3.12 3.13 3.14] [--compiled FOLDER]
                           [--write docs/versions.md]

Makes an environment for each row with uv, runs the core of the suite in it, and three
steps of training with the installed command. Environments are removed again. A Python
that is not on this machine is fetched by uv, where that can be. ``--compiled`` adds a
row for an environment that is there already, with compiled mmcv; the row called onedl
has the packages that continue mmengine, mmcv and mmdet under the same import names.
Ends with status 1 if what setup.cfg allows cannot be installed, or fails.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from markdown_table import table_text, write_table

ROOT = Path(__file__).resolve().parents[1]
CORE = ('backbones', 'compat', 'config', 'datasets', 'detectors', 'engine',
        'evaluation', 'io', 'mmdet_bridge', 'ops', 'roi', 'rpn')
TOOLS = ('pytest>=8', 'pytest-xdist>=3.8', 'hypothesis>=6.100', 'filelock>=3.12',
         'tensorboard>=2.14', 'scikit-learn>=1.3')
ALLOWED = ('3.11', '3.12', '3.13')  # as setup.cfg
BAD = 'failed'
BROKEN = re.compile(r'failed|error|ended with')
SETS = dict(newest='highest', oldest='lowest-direct')
CONTINUED = 'onedl'
REPLACED = ('mmengine', 'mmcv-lite', 'mmdet')
REPLACING = ('onedl-mmengine', 'onedl-mmcv', 'onedl-mmdetection')
SHOWN = ('torch', 'torchvision', 'mmengine', 'mmdet', 'mmcv', 'numpy')
HEAD = ('Python', 'set', *SHOWN, 'tests of the core', 'training')
VERSIONS = f'''
import sys
from importlib.metadata import version
def of(name):
    for called, kind in (name, ''), (name + '-lite', ' (lite)'), (
            'onedl-' + dict(mmdet='mmdetection').get(name, name), ' (onedl)'):
        try:
            return version(called).partition('+')[0] + kind
        except ImportError:
            pass
print(sys.version.split()[0], *map(of, {SHOWN}), sep='|')
'''


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--pythons', nargs='+', metavar='VERSION',
                        default=['3.11', '3.12', '3.13', '3.14'])
    parser.add_argument('--compiled', type=Path, metavar='FOLDER',
                        help='an environment with compiled mmcv')
    parser.add_argument('--work-dir', type=Path, help='default: a temporary folder')
    parser.add_argument('--write', type=Path, metavar='PAGE')
    args = parser.parse_args()
    first = [python for python in args.pythons if is_allowed(python)][:1]
    sets = [*((python, 'oldest') for python in first),
            *((python, 'newest') for python in args.pythons),
            *((python, CONTINUED) for python in first)]
    made = [partial(row_of, python, kind) for python, kind in sets]
    if args.compiled:
        made.append(partial(tried, 'compiled', args.compiled.absolute() / 'bin'))
    rows = []
    for row in made:
        with tempfile.TemporaryDirectory(dir=args.work_dir) as folder:
            rows.append(row(Path(folder)))
        print(' | '.join(rows[-1]), flush=True)
    if args.write:
        write_table(args.write, 'versions', HEAD, rows)
    print(table_text(HEAD, rows))
    print(f'{datetime.now(UTC):%Y-%m-%d}')
    return int(any(BROKEN.search(cell) for row in rows if row[1] != CONTINUED
                   for cell in row))


def row_of(python: str, kind: str, folder: Path) -> list[str]:
    """One row: what was installed, and what came of it."""
    binaries = folder / 'env' / 'bin'

    def without(words: str, outcome: str) -> list[str]:
        return [python, kind, *[''] * len(SHOWN), words, outcome]

    if not is_allowed(python):
        return without(wheels(python), '')
    if run('uv', 'venv', '--python', interpreter(python), folder / 'env').returncode:
        return without('no interpreter here', BAD)
    pip = ['uv', 'pip', 'install', '--python', binaries / 'python']
    steps = [[*pip, '--resolution', SETS.get(kind, SETS['newest']), f'{ROOT}[lite]',
              *TOOLS]]
    if kind == CONTINUED:
        steps += [['uv', 'pip', 'uninstall', *pip[3:], *REPLACED], [*pip, *REPLACING]]
    for step in steps:
        said = run(*step)
        if said.returncode:
            return without(f'not installed: {reason(said)}', BAD)
    return tried(kind, binaries, folder)


def tried(kind: str, binaries: Path, folder: Path) -> list[str]:
    """The row of an environment that is there.

    Args:
        kind: What the table calls it.
        binaries: Its folder ``bin``.
        folder: To train in.
    """
    versions = run(binaries / 'python', '-c', VERSIONS).stdout.strip().split('|')
    tests = run(binaries / 'python', '-m', 'pytest', '-p', 'no:cacheprovider', '-n2',
                '-m', 'not long', *(f'tests/{name}' for name in CORE), cwd=ROOT)
    counts = re.findall(r'(\d+ (?:passed|failed|error|skipped)\w*)', tests.stdout)
    run(binaries / 'frcnn', 'make-shapes', '--out', 'data/shapes', cwd=folder)
    training = run(binaries / 'frcnn', 'train', 'frcnn_r18_c4_shapes', '--max-iters',
                   '3', cwd=folder)
    trained = (folder / 'work_dirs/frcnn_r18_c4_shapes/iter_3.pth').is_file()
    if tests.returncode or training.returncode:
        print(tests.stdout[-3000:], training.stderr[-3000:], file=sys.stderr)
    return [versions[0], kind, *versions[1:],
            ', '.join(counts[-3:]) or f'ended with {tests.returncode}',
            'three steps' if trained else BAD]


def is_allowed(python: str) -> bool:
    """Whether setup.cfg allows a version."""
    return '.'.join(python.split('.')[:2]) in ALLOWED


def interpreter(python: str) -> str:
    """That of pyenv, which uv does not look for; else uv's own name."""
    found = sorted(Path.home().glob(f'.pyenv/versions/{python}.*/bin/python'))
    return str(found[-1]) if found else python


def run(*words: object, cwd: Path | None = None) -> subprocess.CompletedProcess:
    """The end of a command, with what it said."""
    return subprocess.run(
        list(map(str, words)), cwd=cwd, text=True, capture_output=True,
        env=dict(os.environ, OMP_NUM_THREADS='1'))


def wheels(python: str) -> str:
    """Whether each dependency has a wheel for a Python, or which one has none."""
    said = run('uv', 'pip', 'compile', 'setup.cfg', '--extra', 'lite', '--quiet',
               '--python-version', python, '--only-binary', ':all:', cwd=ROOT)
    return reason(said) if said.returncode else 'every dependency has a wheel'


def reason(said: subprocess.CompletedProcess) -> str:
    """The line that tells why uv gave up."""
    lines = [' '.join(line.split())
             for line in said.stderr.splitlines() if line.strip()]
    told = [line for line in lines if re.search('because|no wheel|cause', line, re.I)]
    return (told or lines or ['uv failed'])[0][:150]


if __name__ == '__main__':
    sys.exit(main())
