"""The options of ``frcnn test``."""

import argparse

from .common import add_config_options, add_launcher


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them."""
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
