"""How much disk does each extra of setup.cfg take?

    python tools/extras.py [--python 3.12] [--write docs/adapters.md]

Installs each into an environment of its own with uv, newest versions, and measures
its files. ``runtime`` is complete by itself; the others come on top of ``lite``.
"""

import argparse
import sys
import tempfile
from configparser import ConfigParser
from pathlib import Path

from markdown_table import table_text, write_table
from matrix import ROOT, interpreter, reason, run

ALONE = ('runtime', 'lite')
OTHERS = ('training', 'compiled', 'site', 'dev')  # for no user, or instead of lite
HEAD = ('extra', 'on top of', 'MB')


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--python', default='3.12')
    parser.add_argument('--write', type=Path, metavar='PAGE')
    args = parser.parse_args()
    config = ConfigParser()
    config.read(ROOT / 'setup.cfg')
    extras = [name for name in config['options.extras_require']
              if name not in (*ALONE, *OTHERS)]
    sizes = {name: size(args.python, name) for name in ALONE}
    rows = [[f'`{name}`', '', f'{sizes[name]:.0f}'] for name in ALONE]
    for name in extras:
        more = size(args.python, 'lite', name) - sizes['lite']
        rows.append([f'`{name}`', '`lite`', f'{more:.0f}'])
        print(' '.join(rows[-1]), flush=True)
    print(table_text(HEAD, rows))
    if args.write:
        write_table(args.write, 'sizes', HEAD, rows)
    return 0


def size(python: str, *extras: str) -> float:
    """Millions of bytes of an environment with these extras."""
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(folder) / 'env/bin/python'
        for words in (('venv', '--python', interpreter(python), f'{folder}/env'),
                      ('pip', 'install', '--python', binary,
                       f'{ROOT}[{",".join(extras)}]')):
            said = run('uv', *words)
            if said.returncode:
                raise SystemExit(f'error: {extras[-1]}: {reason(said)}')
        return sum(path.stat().st_size for path in Path(folder).rglob('*')
                   if path.is_file() and not path.is_symlink()) / 1e6


if __name__ == '__main__':
    sys.exit(main())
