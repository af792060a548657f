"""How far are we from the peers? Runs tests/parity and tabulates every difference.

    python tools/check_parity.py [--python PYTHON ...] [--write docs/interop.md]

With several interpreters, one for each build of mmcv, the same tests run on each. Ends
with status 1 if a comparison fails on one of them.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from markdown_table import write_table
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
NAME_MMCV = """
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
for name in ('mmcv', 'mmcv-lite', 'onedl-mmcv'):
    try:
        compiled = find_spec('mmcv._ext') is not None
        print(name, version(name), '(compiled)' if compiled else '(no operators)')
        break
    except PackageNotFoundError:
        pass
"""
Rows = dict[tuple[str, str], tuple[float, str]]


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--python', action='append', metavar='PYTHON',
                        help='an interpreter that has this package installed; may be '
                        'given several times (default: this one)')
    parser.add_argument('--write', type=Path, metavar='FILE',
                        help='replace the table in this document')
    args = parser.parse_args()
    results, failed = {}, False
    for python in args.python or [sys.executable]:
        name = subprocess.run([python, '-c', NAME_MMCV], check=True, text=True,
                              capture_output=True).stdout.strip()
        print(f'{name}: {python}', flush=True)
        results[name], passed = run(python)
        failed = failed or not passed
    report(results, args.write)
    return int(failed)


def run(python: str) -> tuple[Rows, bool]:
    """The differences that the tests recorded, and whether all of them passed."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / 'parity.xml'
        status = subprocess.run(
            [python, '-m', 'pytest', 'tests/parity', f'--junitxml={file}'], cwd=ROOT,
            check=False, env=dict(os.environ, PYTHONPATH=str(ROOT))).returncode
        rows: Rows = {}
        for case in ElementTree.parse(file).iter('testcase'):
            peer = peer_of(case.get('name'))
            for item in case.iter('property'):
                what = re.sub(r' \d+\b', '', item.get('name'))
                difference, _, limit = item.get('value').partition(' of ')
                worst, _ = rows.get((peer, what), (0.0, limit))
                rows[peer, what] = max(worst, float(difference)), limit
    return rows, status == 0


def peer_of(test: str) -> str:
    """The name of the peer in a test's parameters."""
    found = re.search(r'\[(?:True-|False-)?((?:mmdet|torchvision|detectron2|simple|'
                      r'bubbliiiing)[^\]]*?)(?:-(?:True|False))?\]', test)
    if found:
        return found[1]
    if 'torchvision' in test:
        return 'torchvision R50-FPN'
    style = re.search(r'mmdet_r50_c4\[(\w+)\]', test)
    return f'mmdet R50-C4, {style[1]}' if style else 'metrics'


def report(results: dict[str, Rows], file: Path | None) -> None:
    """Print the table, and put it where it is wanted."""
    names = list(results)
    head = ['peer', 'what', 'at most', *names]
    table = Table(*head, title='Largest differences')
    lines = []
    keys = dict.fromkeys(key for rows in results.values() for key in rows)
    for peer, what in sorted(keys):
        found = [rows.get((peer, what)) for rows in results.values()]
        limit = next(each[1] for each in found if each)
        cells = [peer, what, limit,
                 *('not run' if each is None else f'{each[0]:.1e}' for each in found)]
        table.add_row(*cells)
        lines.append(cells)
    Console().print(table)
    if file:
        write_table(file, 'parity', head, lines)


if __name__ == '__main__':
    sys.exit(main())
