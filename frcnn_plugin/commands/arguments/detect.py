"""The options of ``frcnn detect``."""

import argparse

from .common import add_detection_options, add_detector


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.description = 'Detect in images and videos.'
    parser.add_argument('input', help='an image, a folder, a video, or a pattern such '
                        "as 'pictures/*.jpg'")
    add_detector(parser, '[CONFIG] CHECKPOINT',
                 'a checkpoint that training wrote; it carries its config, another one '
                 'is named before it')
    add_detection_options(parser, 'detections', 'pictures and detections.json')
    parser.add_argument('--batch-size', type=int, default=4, metavar='N',
                        help='images at once (default: %(default)s)')
    parser.add_argument('--device', help='cuda, cpu, ...; default: a GPU if there is '
                        'one')
    parser.add_argument('--no-pictures', action='store_true',
                        help='write detections.json only')
