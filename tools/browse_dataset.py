"""Draw what the network is fed: `python tools/browse_dataset.py --help`."""

import sys

try:
    from frcnn_plugin.commands.browse_dataset import browse_dataset
    from frcnn_plugin.errors import exit_with_one_line
except ImportError as error:
    sys.exit(f'error: {error} (to install: make install, or pip install -e ".[lite]")')

if __name__ == '__main__':
    exit_with_one_line(browse_dataset)
