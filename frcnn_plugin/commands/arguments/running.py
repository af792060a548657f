"""The options of the commands that run a config."""

import argparse
from pathlib import Path

from .common import add_config_options, add_launcher


def train(parser: argparse.ArgumentParser) -> None:
    """``frcnn train``."""
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


def test(parser: argparse.ArgumentParser) -> None:
    """``frcnn test``."""
    parser.description = 'Test a detector: AP of each class, and the mean.'
    parser.add_argument('config', help='the config that it was trained with')
    parser.add_argument('checkpoint', nargs='?',
                        help='a .pth file from its work dir')
    add_config_options(parser)
    add_launcher(parser)
    parser.add_argument('--split', metavar='NAME',
                        help="split file to test on; default: the config's")
    parser.add_argument('--out', metavar='FILE',
                        help='write all detections to this .pkl file')
    parser.add_argument('--show-dir', metavar='DIR',
                        help='draw ground truth and detections into this folder')
    what = parser.add_mutually_exclusive_group()
    what.add_argument('--recall', action='store_true',
                      help='measure the recall of the proposals, not the detections')
    what.add_argument('--tta', action='store_true',
                      help='test-time augmentation: detect in the mirrored image too, '
                      "or as the config's tta_pipeline says")


def browse_dataset(parser: argparse.ArgumentParser) -> None:
    """``frcnn browse-dataset``."""
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
