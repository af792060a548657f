"""The options of the commands that take a checkpoint."""

import argparse
from pathlib import Path

from .common import (
    AMP,
    DATA_ROOT,
    LAUNCHER,
    LAUNCHERS,
    ClassNames,
    add_detection_options,
    add_detector,
    add_tiles,
)

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
FORMATS = {'openvino': '.xml', 'onnx': '.onnx', 'torch-export': '.pt2'}


def detect(parser: argparse.ArgumentParser) -> None:
    """Detect in images and videos."""
    add = parser.add_argument
    add('input', help='an image, a video, a folder, a pattern such as '
        "'pictures/*.jpg', @FILE for a list of files, or - for a list on standard "
        'input')
    add_detector(parser)
    add_detection_options(parser, 'detections', 'pictures and detections.jsonl',
                          str)
    add('--batch-size', type=int, default=4, metavar='N',
        help='images at once (default: %(default)s)')
    add('--device', help='cuda, cpu, ...; default: a GPU if there is one. For an '
        "exported file OpenVINO's name of one, cpu by default")
    add('--amp', action='store_true', help=AMP)
    add_tiles(parser)
    add('--no-pictures', action='store_true', help='draw none')
    add('--format', default='json', choices=['jsonl', 'json', 'parquet'],
        help='what detections.jsonl is made into at the end: detections.json as COCO '
        'has it, detections.parquet, or nothing else (default: %(default)s)')
    add('--resume', action='store_true', help='continue an unfinished run; the other '
        'arguments must be the same')
    add('--launcher', default='none', choices=LAUNCHERS, help=LAUNCHER)
    add('--engine', default='own', choices=['own', 'ray'], help='ray: on a cluster, '
        'for a folder or a URI such as s3://bucket/pictures; Parquet files go to -o, '
        'a folder or a URI (default: %(default)s)')
    add('--address', help="of Ray's cluster; default: that of RAY_ADDRESS, or one that "
        'runs on this machine, or a new one there')


def inspect_stages(parser: argparse.ArgumentParser) -> None:
    """Show what a detector does with one picture, stage by stage."""
    add = parser.add_argument
    add('image', type=Path)
    add_detector(parser, '[CONFIG] [CHECKPOINT]',
                 'a config, a checkpoint, or both; without a checkpoint the weights '
                 'are random')
    add_detection_options(parser, 'stages', 'pictures and stages.html')
    add('--annotation', type=Path, metavar='XML',
        help='annotation file; default: the XML with the same name next to the '
        'picture, or in Annotations/ next to its folder')
    add('--region', type=int, metavar='N', help='the proposal to look at closely; '
        'default: the one most certain to be an object')


def export(parser: argparse.ArgumentParser) -> None:
    """Write a trained detector as one file for other programs."""
    add = parser.add_argument
    add_detector(parser)
    add('--to', required=True, choices=list(FORMATS), help='the format')
    add('-o', '--out', type=Path, metavar='FILE',
        help='default: the name of the checkpoint with another suffix')
    add('--with-resize', action='store_true', help='put the resizing inside: the input '
        'is then a picture as OpenCV reads it')
    add('--int8', action='store_true', help='compute in whole numbers of 8 bits where '
        'it costs little accuracy (--to openvino)')
    add('--calibrate', type=Path, metavar='DIR', help='the data set that --int8 is '
        'adjusted and checked on: ' + DATA_ROOT)
    add('--split', default='train', metavar='NAME',
        help='the split of --calibrate (default: %(default)s)')
    add('--check', nargs='+', metavar='IMAGE', help='images, folders or patterns: '
        'compare what the file and the checkpoint detect in them')


def convert(parser: argparse.ArgumentParser) -> None:
    """Convert a checkpoint of another Faster R-CNN into ours, with the config that
    it needs; or ours into one of mmdet or torchvision.
    """
    add = parser.add_argument
    parser.epilog = (f'Known: {"; ".join(SOURCES.values())}. Which numbers of them '
                     'differ: docs/interop.md')
    add('checkpoint', type=Path, help='a .pth or .pkl file')
    add('-o', '--out', type=Path, required=True, metavar='FILE',
        help='the new checkpoint, .pth; the config is put beside it')
    add('--to', choices=TARGETS, default='ours',
        help='the code base to convert to (default: %(default)s)')
    add('--source', choices=list(SOURCES),
        help='the code base that it is from, where its names do not tell')
    add('--classes', nargs='+', metavar='NAME', action=ClassNames,
        help='the names of its classes in order; default: those that it states, or '
        'those of VOC or COCO if it has as many')
    add('--style', choices=STYLES,
        help='how its ResNet was made: where the strides are, and which pixels it was '
        'trained on; default: what is usual for the source')
    add('--norm-eps', type=float, default=1e-5, metavar='EPS',
        help="what its batch normalisation adds to a variance; 0 for torchvision's "
        'COCO weights (default: %(default)s)')
    add('--data', choices=['voc', 'coco'], help='the data of the new config: a folder '
        'in VOC layout, which is the default, or COCO')
    add('--config', type=Path, metavar='FILE', help='the config that it is for, where '
        'its numbers are not the usual ones of its source, such as its anchors')
    add('--overwrite', action='store_true', help='replace files that are there')
