"""Does it work with the versions that setup.cfg allows, the oldest and the newest?

    python tools/matrix.py [--pythons 3.11 3.12 3.13 3.14] [--write docs/versions.md]

Makes an environment for each row with uv, runs the core of the suite in it, and three
steps of training with the installed command. Environments are removed again. A Python
that is not on this machine is fetched by uv, where that can be. Ends with status 1 if
one that setup.cfg allows cannot be installed, or fails.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from markdown_table import table_text, write_table

ROOT = Path(__file__).resolve().parents[1]
CORE = ('backbones', 'compat', 'config', 'datasets', 'detectors', 'engine',
        'evaluation', 'io', 'mmdet_bridge', 'ops', 'roi', 'rpn')
TOOLS = ('pytest>=8', 'pytest-xdist>=3.8', 'hypothesis>=6.100', 'filelock>=3.12',
         'tensorboard>=2.14', 'scikit-learn>=1.3')
ALLOWED = ('3.11', '3.12', '3.13')  # as setup.cfg
BAD = 'failed'
SETS = dict(newest='highest', oldest='lowest-direct')
SHOWN = ('torch', 'torchvision', 'mmengine', 'mmdet', 'mmcv', 'numpy')
HEAD = ('Python', 'set', *SHOWN, 'tests of the core', 'training')
VERSIONS = f'''
import sys
from importlib.metadata import version
def of(name):
    try:
        return version(name).partition('+')[0]
    except ImportError:
        return version(name + '-lite') + ' (lite)'
print(sys.version.split()[0], *map(of, {SHOWN}), sep='|')
'''


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--pythons', nargs='+', metavar='VERSION',
                        default=['3.11', '3.12', '3.13', '3.14'])
    parser.add_argument('--work-dir', type=Path, help='default: a temporary folder')
    parser.add_argument('--write', type=Path, metavar='PAGE')
    args = parser.parse_args()
    rows = []
    for python, kind in [(args.pythons[0], 'oldest'),
                         *((each, 'newest') for each in args.pythons)]:
        with tempfile.TemporaryDirectory(dir=args.work_dir) as folder:
            rows.append(row_of(python, kind, Path(folder)))
        print(' | '.join(rows[-1]), flush=True)
    if args.write:
        write_table(args.write, 'versions', HEAD, rows)
    print(table_text(HEAD, rows))
    print(f'{datetime.now(UTC):%Y-%m-%d}')
    return int(any(BAD in row for row in rows))


def row_of(python: str, kind: str, folder: Path) -> list[str]:
    """One row: what was installed, and what came of it."""
    binaries = folder / 'env' / 'bin'
    if python not in ALLOWED:
        return [python, kind, *[''] * len(SHOWN), wheels(python), '']
    if run('uv', 'venv', '--python', interpreter(python), folder / 'env').returncode:
        return [python, kind, *[''] * len(SHOWN), 'no interpreter here', BAD]
    said = run('uv', 'pip', 'install', '--python', binaries / 'python',
               '--resolution', SETS[kind], f'{ROOT}[lite]', *TOOLS)
    if said.returncode:
        return [python, kind, *[''] * len(SHOWN), f'not installed: {reason(said)}', BAD]
    versions = run(binaries / 'python', '-c', VERSIONS).stdout.strip().split('|')
    tests = run(binaries / 'python', '-m', 'pytest', '-p', 'no:cacheprovider', '-n2',
                *(f'tests/{name}' for name in CORE), cwd=ROOT)
    counts = re.findall(r'(\d+ (?:passed|failed|error|skipped)\w*)', tests.stdout)
    run(binaries / 'frcnn', 'make-shapes', '--out', 'data/shapes', cwd=folder)
    training = run(binaries / 'frcnn', 'train', 'frcnn_r18_c4_shapes', '--max-iters',
                   '3', cwd=folder)
    trained = (folder / 'work_dirs/frcnn_r18_c4_shapes/iter_3.pth').is_file()
    if tests.returncode or training.returncode:
        print(tests.stdout[-3000:], training.stderr[-3000:], file=sys.stderr)
    return [versions[0], kind, *versions[1:],
            ', '.join(counts[-3:]) or f'ended with {tests.returncode}',
            BAD if tests.returncode or not trained else 'three steps']


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
