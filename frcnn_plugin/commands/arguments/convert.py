"""The options of ``frcnn convert``."""

import argparse
from pathlib import Path

SOURCES = {  # the config of each code base, as in interop/peers.py, and its name
    'mmdet_r50_c4': 'mmdet R50-C4',
    'mmdet_r50_fpn': 'mmdet R50-FPN',
    'torchvision_r50_fpn': 'torchvision R50-FPN',
    'detectron2_r50_c4': 'detectron2 R50-C4',
    'detectron2_r50_fpn': 'detectron2 R50-FPN',
    'simple_vgg16': 'simple-faster-rcnn-pytorch VGG16',
    'bubbliiiing_vgg16': 'bubbliiiing faster-rcnn-pytorch VGG16',
    'bubbliiiing_r50': 'bubbliiiing faster-rcnn-pytorch R50',
}
TARGETS = ['ours', 'mmdet', 'torchvision']
STYLES = ['caffe', 'pytorch']


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.description = (
        'Convert a checkpoint of another Faster R-CNN into ours, with the config that '
        'it needs; or ours into one of mmdet or torchvision.')
    parser.epilog = (f'Known: {"; ".join(SOURCES.values())}. Which numbers of them '
                     'differ: docs/interop.md')
    parser.add_argument('checkpoint', type=Path, help='a .pth or .pkl file')
    parser.add_argument('-o', '--out', type=Path, required=True, metavar='FILE',
                        help='the new checkpoint, .pth; the config is put beside it')
    parser.add_argument('--to', choices=TARGETS, default='ours',
                        help='the code base to convert to (default: %(default)s)')
    parser.add_argument('--source', choices=list(SOURCES),
                        help='the code base that it is from, where its names do not '
                        'tell')
    parser.add_argument('--classes', nargs='+', metavar='NAME',
                        help='the names of its classes in order; default: those that '
                        'it states, or those of VOC or COCO if it has as many')
    parser.add_argument('--style', choices=STYLES,
                        help='how its ResNet was made: where the strides are, and '
                        'which pixels it was trained on; default: what is usual '
                        'for the source')
    parser.add_argument('--norm-eps', type=float, default=1e-5, metavar='EPS',
                        help='what its batch normalisation adds to a variance; 0 for '
                        "torchvision's COCO weights (default: %(default)s)")
    parser.add_argument('--data', choices=['voc', 'coco'],
                        help='the data of the new config: a folder in VOC layout, '
                        'which is the default, or COCO')
    parser.add_argument('--config', type=Path, metavar='FILE',
                        help='the config that it is for, where its numbers are not '
                        'the usual ones of its source, such as its anchors')
    parser.add_argument('--overwrite', action='store_true',
                        help='replace files that are there')
