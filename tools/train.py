"""Train a detector: `python tools/train.py --help`."""

from frcnn_plugin.commands.train import train
from frcnn_plugin.utils.errors import exit_with_one_line

if __name__ == '__main__':
    exit_with_one_line(train)
