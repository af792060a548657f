"""The options of ``frcnn browse-dataset``."""

import argparse
from pathlib import Path

from .common import add_config_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.description = ('Draw what the network is fed: pictures after the pipeline, '
                          'with their boxes.')
    parser.add_argument('config', help='a Python config file, see configs/')
    parser.add_argument('-o', '--out', type=Path, default=Path('browse'), metavar='DIR',
                        help='pictures go there (default: %(default)s)')
    parser.add_argument('--loader', choices=['train', 'val', 'test'], default='train',
                        help='the data of this loader (default: %(default)s)')
    parser.add_argument('--number', type=int, default=20, metavar='N',
                        help='number of pictures (default: %(default)s)')
    add_config_options(parser)
