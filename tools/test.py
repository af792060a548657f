"""Test a detector: `python tools/test.py --help`."""

import sys

try:
    from frcnn_plugin.commands.test import test
    from frcnn_plugin.errors import exit_with_one_line
except ImportError as error:
    sys.exit(f'error: {error} (to install: make install, or pip install -e ".[lite]")')

if __name__ == '__main__':
    exit_with_one_line(test)
