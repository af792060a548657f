"""The options of ``frcnn train``."""

import argparse

from .common import add_config_options, add_launcher


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.description = 'Train a detector.'
    parser.add_argument('config', help='a Python config file, see configs/')
    add_config_options(parser)
    add_launcher(parser)
    parser.add_argument('--max-iters', type=int, metavar='N',
                        help='stop after N iterations, a trial run')
    parser.add_argument('--resume', nargs='?', const='auto', metavar='CHECKPOINT',
                        help='continue from a checkpoint; by default from the latest '
                        'in the work dir')
    parser.add_argument('--amp', action='store_true',
                        help='automatic mixed precision (needs a GPU)')
    start = parser.add_mutually_exclusive_group()
    start.add_argument('--pretrained', metavar='SOURCE',
                       help='pretrained weights of your own: a path, a URL or '
                       'torchvision://NAME')
    start.add_argument('--from-scratch', action='store_true',
                       help='start from random weights instead of pretrained ones')
    parser.add_argument('--tensorboard', action='store_true',
                        help='write curves for TensorBoard into the work dir too')
    parser.add_argument('--seed', type=int, metavar='N', help='seed of everything')
    parser.add_argument('--deterministic', action='store_true',
                        help='use deterministic kernels only')
