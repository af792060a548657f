"""The options of the commands that make and check data sets."""

import argparse
import os
from pathlib import Path

from .common import DATA_ROOT

YEARS = ['2007', '2012']


def prepare_voc(parser: argparse.ArgumentParser) -> None:
    """Make a folder in the layout of PASCAL VOC."""
    add = parser.add_argument
    source = parser.add_mutually_exclusive_group(required=True).add_argument
    source('--voc', nargs='+', choices=YEARS, metavar='YEAR',
           help=f'download VOC itself: {" ".join(YEARS)}')
    source('--from-folder', type=Path, metavar='DIR',
           help='images and their XML files, wherever they lie in DIR')
    source('--from-coco', type=Path, metavar='FILE', help='annotations in COCO format')
    source('--from-yolo', type=Path, metavar='DIR',
           help='images/, labels/ and data.yaml or classes.txt')
    add('-o', '--out', type=Path, metavar='DIR',
        help='the folder in VOC layout; default: data/VOCdevkit for --voc, and the '
        'folder itself for a --from-folder that lacks split files only')
    add('--images', type=Path, metavar='DIR', help='with --from-coco: the folder of '
        'the images; default: images beside the file, or the folder of the file')
    add('--name', default='train', metavar='SPLIT',
        help='with --from-coco: the split that FILE is (default: %(default)s)')
    add('--split', nargs='+', type=float, metavar='SHARE',
        help='make the split files, at random: the share of train, and perhaps that of '
        'val; the rest is test, or val and test in equal parts')
    add('--seed', type=int, default=0, metavar='N',
        help='seed of the split (default: %(default)s)')
    add('--copy', action='store_true', help='copy the images instead of linking them')


def check_dataset(parser: argparse.ArgumentParser) -> None:
    """Read every image and every annotation of a data set in VOC layout, and say
    what is wrong. Ends with status 1 if that costs training an image or a box.
    """
    add = parser.add_argument
    add('data_root', type=Path, metavar='DIR', help=DATA_ROOT)
    add('--classes', nargs='+', metavar='NAME',
        help='the classes to train on; default: all that occur')
    add('--split', nargs='+', metavar='NAME', help='default: all of ImageSets/Main')
    add('--fix', type=Path, metavar='DIR', help='write a cleaned copy of the '
        'annotations into this new folder; the originals are never touched')
    add('--json', type=Path, metavar='FILE', help='write all findings as JSON')
    add('--jobs', type=int, default=os.cpu_count(), metavar='N',
        help='processes (default: all cores)')


def make_proposals(parser: argparse.ArgumentParser) -> None:
    """Find candidate regions with selective search, and write them as a file of
    proposals. The same command again continues where it stopped.
    """
    add = parser.add_argument
    add('--data-root', required=True, type=Path, metavar='DIR', help=DATA_ROOT)
    add('--folders', nargs='+', metavar='NAME',
        help='which folders of a VOCdevkit; default: all')
    add('--split', required=True, nargs='+', metavar='NAME',
        help='one split file or several')
    add('--out', required=True, type=Path, metavar='FILE', help='the .npz file')
    add('--num', type=int, default=2000, metavar='N',
        help='most regions per image (default: %(default)s)')
    add('--quality', action='store_true', help='more regions, and several times slower')
    add('--max-side', type=int, default=500, metavar='PIXELS', help='shrink images '
        'whose longer side is longer; 0 for never (default: %(default)s)')
    add('--workers', type=int, default=os.cpu_count(), metavar='N',
        help='processes (default: %(default)s)')
    add('--overwrite', action='store_true',
        help='search all images again and replace the file')


def make_shapes(parser: argparse.ArgumentParser) -> None:
    """Draw shapes on textures, as a data set in VOC layout."""
    add = parser.add_argument
    add('--out', type=Path, default=Path('data/shapes'),
        help='the folder (default: %(default)s)')
    add('--train', type=int, default=2000, help='training pictures')
    add('--val', type=int, default=200, help='validation pictures')
    add('--test', type=int, default=300, help='test pictures')
    add('--seed', type=int, default=0, help='seed of everything random')
