"""The options of the commands that make and check data sets."""

import argparse
import os
from pathlib import Path

from .common import DATA_ROOT, ClassNames

YEARS = ['2007', '2012']
FORMATS = ['voc', 'cvat', 'coco', 'labelme', 'vott', 'supervisely', 'via', 'createml',
           'sloth', 'label-studio', 'kitti', 'dota', 'oidv4', 'csv', 'yolo']


def prepare(parser: argparse.ArgumentParser) -> None:
    """Make a folder to train on, in the layout of PASCAL VOC, out of pictures and
    annotations in any usual format and any arrangement of folders. Pictures are linked,
    the originals are never touched, and what is left out is counted and listed.
    """
    add = parser.add_argument
    add('folder', nargs='?', type=Path, metavar='DIR',
        help='pictures and annotations in any layout, or one COCO file')
    add('-o', '--out', type=Path, metavar='DIR', help='the folder to make; default: '
        'DIR_voc here, and DIR itself if it lacks split files only')
    add('--as', dest='kind', choices=FORMATS, metavar='FORMAT',
        help=f'read one format only: {", ".join(FORMATS)}')
    add('--only', nargs='+', metavar='SUBFOLDER',
        help='look into these subfolders of DIR only')
    add('--frame', choices=['upright', 'stored'], help='how the boxes of pictures are '
        'meant that have an EXIF orientation: as viewers show the picture, or as it is '
        'stored; default: what each annotation tells, and those that do not are left '
        'out, as are those that state the size of another picture')
    add('--split', nargs='+', type=float, metavar='SHARE',
        help='share out anew: the share of train, and perhaps that of val; the rest is '
        'test, or val and test in equal parts; default: the splits that are there, or '
        '0.8')
    add('--seed', type=int, default=0, metavar='N',
        help='seed of the split (default: %(default)s)')
    add('--copy', action='store_true', help='copy the pictures instead of linking them')
    add('--dry-run', action='store_true', help='say what would be done, write nothing')
    add('--voc', nargs='+', choices=YEARS, metavar='YEAR',
        help=f'download PASCAL VOC itself: {" ".join(YEARS)}')
    add('--images', type=Path, metavar='DIR', help='with a COCO file: the folder of '
        'its pictures; default: images beside the file, or the folder of the file')
    add('--name', metavar='SPLIT', help='with a COCO file: the split that it is')
    for name in ('--from-folder', '--from-coco', '--from-yolo'):  # as it was called
        add(name, type=Path, help=argparse.SUPPRESS)


def prepare_voc(parser: argparse.ArgumentParser) -> None:
    """The former name of prepare."""
    prepare(parser)


def check_dataset(parser: argparse.ArgumentParser) -> None:
    """Read every image and every annotation of a data set in VOC layout, and say
    what is wrong. Ends with status 1 if a person has to look: if it costs training an
    image or a box, or keeps training from beginning.
    """
    add = parser.add_argument
    add('data_root', type=Path, metavar='DIR', help=DATA_ROOT)
    add('--classes', nargs='+', metavar='NAME', action=ClassNames,
        help='the classes to train on; default: all that occur')
    add('--split', nargs='+', metavar='NAME', help='default: all of ImageSets/Main')
    add('--fix', type=Path, metavar='DIR', help='write a cleaned copy of the '
        'annotations into this new folder; the originals are never touched')
    add('--pictures', type=Path, metavar='DIR',
        help='draw the twelve images whose boxes are most doubtful')
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
