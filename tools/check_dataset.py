"""Check a data set: `python tools/check_dataset.py --help`."""

import sys

try:
    from frcnn_plugin.commands.check_dataset import check_dataset
    from frcnn_plugin.errors import exit_with_one_line
except ImportError as error:
    sys.exit(f'error: {error} (to install: make install, or pip install -e ".[lite]")')

if __name__ == '__main__':
    exit_with_one_line(lambda: sys.exit(check_dataset()))
