"""The options of ``frcnn inspect-stages``."""

import argparse
from pathlib import Path

from .common import add_detection_options, add_detector


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.description = 'Show what a detector does with one picture, stage by stage.'
    parser.add_argument('image', type=Path)
    add_detector(parser, '[CONFIG] [CHECKPOINT]',
                 'a config, a checkpoint, or both; without a checkpoint the weights '
                 'are random')
    add_detection_options(parser, 'stages', 'pictures and stages.html')
    parser.add_argument('--annotation', type=Path, metavar='XML',
                        help='what is annotated; default: the file of that name beside '
                        'the picture, or in Annotations/ beside its folder')
    parser.add_argument('--region', type=int, metavar='N',
                        help='the proposal to look at closely; default: the one most '
                        'certain to be an object')
