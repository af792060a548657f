"""Test a detector: `python tools/test.py --help`."""

from frcnn_plugin.commands.test import test
from frcnn_plugin.utils.errors import exit_with_one_line

if __name__ == '__main__':
    exit_with_one_line(test)
