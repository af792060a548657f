"""The options of ``frcnn make-proposals``."""

import argparse
import os
from pathlib import Path

from .common import DATA_ROOT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.description = (
        'Search regions in images by selective search, and write them as a file of '
        'proposals. The same command again continues where it stopped.')
    parser.add_argument('--data-root', required=True, type=Path, metavar='DIR',
                        help=DATA_ROOT)
    parser.add_argument('--folders', nargs='+', metavar='NAME',
                        help='which folders of a VOCdevkit; default: all')
    parser.add_argument('--split', required=True, nargs='+', metavar='NAME',
                        help='one split file or several')
    parser.add_argument('--out', required=True, type=Path, metavar='FILE',
                        help='the .npz file')
    parser.add_argument('--num', type=int, default=2000, metavar='N',
                        help='regions of an image at most (default: %(default)s)')
    parser.add_argument('--quality', action='store_true',
                        help='more regions, and several times slower')
    parser.add_argument('--max-side', type=int, default=500, metavar='PIXELS',
                        help='shrink images whose longer side is longer; 0 for never '
                        '(default: %(default)s)')
    parser.add_argument('--workers', type=int, default=os.cpu_count(), metavar='N',
                        help='processes (default: %(default)s)')
    parser.add_argument('--overwrite', action='store_true',
                        help='search all images again and replace the file')
