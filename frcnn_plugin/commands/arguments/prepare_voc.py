"""The options of ``frcnn prepare-voc``."""

import argparse
from pathlib import Path

YEARS = ['2007', '2012']


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.description = 'Make a folder in the layout of PASCAL VOC.'
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument('--voc', nargs='+', choices=YEARS, metavar='YEAR',
                        help=f'download VOC itself: {" ".join(YEARS)}')
    source.add_argument('--from-folder', type=Path, metavar='DIR',
                        help='images and their XML files, wherever they lie in DIR')
    source.add_argument('--from-coco', type=Path, metavar='FILE',
                        help='annotations in COCO format')
    source.add_argument('--from-yolo', type=Path, metavar='DIR',
                        help='images/, labels/ and data.yaml or classes.txt')
    parser.add_argument('-o', '--out', type=Path, metavar='DIR',
                        help='the folder in VOC layout; default: data/VOCdevkit for '
                        '--voc, and the folder itself for a --from-folder that lacks '
                        'split files only')
    parser.add_argument('--images', type=Path, metavar='DIR',
                        help='with --from-coco: the folder of the images; default: '
                        'images beside the file, or the folder of the file')
    parser.add_argument('--name', default='train', metavar='SPLIT',
                        help='with --from-coco: the split that FILE is '
                        '(default: %(default)s)')
    parser.add_argument('--split', nargs='+', type=float, metavar='SHARE',
                        help='make the split files, at random: the share of train, and '
                        'perhaps that of val; the rest is test, or val and test in '
                        'equal parts')
    parser.add_argument('--seed', type=int, default=0, metavar='N',
                        help='seed of the split (default: %(default)s)')
    parser.add_argument('--copy', action='store_true',
                        help='copy the images instead of linking them')
