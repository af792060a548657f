"""Test a detector, the same as `frcnn test`."""

import sys

try:
    from frcnn_plugin.commands.frcnn import main
except ImportError as error:
    sys.exit(f'error: {error} (to install: make install, or pip install -e ".[lite]")')

if __name__ == '__main__':
    main(['test', *sys.argv[1:]])
