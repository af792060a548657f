"""The options of ``frcnn export``."""

import argparse
from pathlib import Path

from .common import add_detector


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.description = 'Write a trained detector as one file for other programs.'
    add_detector(parser, '[CONFIG] CHECKPOINT',
                 'a checkpoint that training wrote; it carries its config, another one '
                 'is named before it')
    parser.add_argument('--to', required=True, choices=['onnx', 'torch-export'],
                        help='the format')
    parser.add_argument('-o', '--out', type=Path, metavar='FILE',
                        help='default: the name of the checkpoint with another suffix')
    parser.add_argument('--check', nargs='+', metavar='IMAGE',
                        help='images, folders or patterns: compare what the file and '
                        'the checkpoint detect in them')
