"""The options of ``frcnn check-dataset``."""

import argparse
import os
from pathlib import Path

from .common import DATA_ROOT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.description = (
        'Read every image and every annotation of a data set in VOC layout, and say '
        'what is wrong. Ends with status 1 if that costs training an image or a box.')
    parser.add_argument('data_root', type=Path, metavar='DIR', help=DATA_ROOT)
    parser.add_argument('--classes', nargs='+', metavar='NAME',
                        help='the classes to train on; default: all that occur')
    parser.add_argument('--split', nargs='+', metavar='NAME',
                        help='default: all of ImageSets/Main')
    parser.add_argument('--fix', type=Path, metavar='DIR',
                        help='write a cleaned copy of the annotations into this new '
                        'folder; the originals are never touched')
    parser.add_argument('--json', type=Path, metavar='FILE',
                        help='write all findings as JSON')
    parser.add_argument('--jobs', type=int, default=os.cpu_count(), metavar='N',
                        help='processes (default: all cores)')
