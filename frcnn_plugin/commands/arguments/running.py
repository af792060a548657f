"""The options of the commands that run a config."""

import argparse
from pathlib import Path

from .common import AMP, add_config_options, add_tiles


def train(parser: argparse.ArgumentParser) -> None:
    """Train a detector."""
    add = parser.add_argument
    add('config', metavar='DATA|CONFIG', help='a folder of annotated pictures, or a '
        'Python config file, see configs/')
    add_config_options(parser)
    add('--minutes', type=float, metavar='N', help='of a folder: end within so many '
        'minutes; by default as long as it is expected to pay')
    add('--plan', action='store_true',
        help='of a folder: write the recipe, do not train')
    add('--no-flip', action='store_true', help='of a folder: never mirror its pictures')
    add('--tiles', type=int, metavar='SIZE', help='of a folder: train on squares of so '
        'many pixels of a picture, 0: on pictures as they are; by default on squares '
        'if the objects are tiny')
    add('--max-iters', type=int, metavar='N',
        help='stop after N iterations, a trial run')
    add('--resume', nargs='?', const='auto', metavar='CHECKPOINT',
        help='continue from a checkpoint; by default from the latest in the work dir')
    add('--amp', action=argparse.BooleanOptionalAction, help=AMP + '; by default a '
        'folder is trained in bfloat16 on a CPU where that is faster')
    start = parser.add_mutually_exclusive_group().add_argument
    start('--pretrained', metavar='SOURCE',
          help='pretrained weights of your own: a path, a URL or torchvision://NAME')
    start('--from', dest='start', metavar='DETECTOR', help="a detector.pth of an "
          'earlier run to go on from; its classes may be others')
    start('--from-scratch', action='store_true',
          help='start from random weights instead of pretrained ones')
    for tool, title in dict(tensorboard='TensorBoard', mlflow='MLflow',
                            wandb='Weights & Biases').items():
        add(f'--{tool}', action='store_true', help=f'write curves for {title} too')
    add('--seed', type=int, metavar='N', help='seed of everything')
    add('--deterministic', action='store_true', help='use deterministic kernels only')


def test(parser: argparse.ArgumentParser) -> None:
    """Test a detector: AP of each class, and the mean."""
    add = parser.add_argument
    add('config', help='the config that it was trained with; not needed for a '
        'detector.pth or a file of frcnn export')
    add('checkpoint', nargs='?', help='a .pth file from its work dir, or an exported '
        '.xml or .onnx')
    add_config_options(parser)
    add('--split', metavar='NAME', help="split file to test on; default: the config's")
    add('--out', metavar='FILE', help='write all detections to this .pkl file')
    add('--show-dir', metavar='DIR',
        help='draw ground truth and detections into this folder')
    add('--amp', action='store_true', help=AMP)
    add_tiles(parser)
    what = parser.add_mutually_exclusive_group().add_argument
    what('--recall', action='store_true',
         help='measure the recall of the proposals, not the detections')
    what('--tta', action='store_true', help='test-time augmentation: detect in the '
         "mirrored image too, or as the config's tta_pipeline says")


def browse_dataset(parser: argparse.ArgumentParser) -> None:
    """Draw what the network is fed: pictures after the pipeline, with their boxes."""
    add = parser.add_argument
    add('config', help='a Python config file, see configs/')
    add('-o', '--out', type=Path, default=Path('browse'), metavar='DIR',
        help='pictures go there (default: %(default)s)')
    add('--loader', choices=['train', 'val', 'test'], default='train',
        help='the data of this loader (default: %(default)s)')
    add('--number', type=int, default=20, metavar='N',
        help='number of pictures (default: %(default)s)')
    add_config_options(parser, launcher=False)
