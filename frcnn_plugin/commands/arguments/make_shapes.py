"""The options of ``frcnn make-shapes``."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.description = 'Draw shapes on textures, as a data set in VOC layout.'
    parser.add_argument('--out', type=Path, default=Path('data/shapes'),
                        help='the folder (default: %(default)s)')
    parser.add_argument('--train', type=int, default=2000, help='training pictures')
    parser.add_argument('--val', type=int, default=200, help='validation pictures')
    parser.add_argument('--test', type=int, default=300, help='test pictures')
    parser.add_argument('--seed', type=int, default=0, help='seed of everything random')
