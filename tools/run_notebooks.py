"""Runs the notebooks from start to end, and keeps what they show.

    python tools/run_notebooks.py [NAME ...] [--check]

With ``--check`` nothing is kept. A cell that fails ends it with status 1.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

FOLDER = Path(__file__).resolve().parents[1] / 'notebooks'
LONGEST = 1200  # seconds of a cell


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('names', nargs='*', metavar='NAME', help='default: all')
    parser.add_argument('--check', action='store_true', help='keep nothing')
    args = parser.parse_args()
    names = args.names or sorted(path.stem for path in FOLDER.glob('*.ipynb'))
    for name in names:
        path, began = FOLDER / f'{name}.ipynb', time.monotonic()
        try:
            notebook = run(path)
        except CellExecutionError as error:
            print(f'{path}: {error}', file=sys.stderr)
            return 1
        if not args.check:
            nbformat.write(notebook, path)
        print(f'{name}: {time.monotonic() - began:.0f} s', flush=True)
    return 0


def run(path: Path) -> nbformat.NotebookNode:
    """A notebook, run in a new folder by the Python that this runs in."""
    notebook = nbformat.read(path, as_version=4)
    binaries = Path(sys.executable).parent
    os.environ['PATH'] = f'{binaries}{os.pathsep}{os.environ["PATH"]}'  # for !frcnn
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(notebook, timeout=LONGEST, kernel_name='python3',
                       resources=dict(metadata=dict(path=folder))).execute()
    for cell in notebook.cells:
        cell.metadata.pop('execution', None)  # when each cell ran
    return nbformat.reads(nbformat.writes(notebook).replace(f'{folder}/', ''), 4)


if __name__ == '__main__':
    sys.exit(main())
