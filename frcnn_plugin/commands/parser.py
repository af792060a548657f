"""The one parser of all commands; it imports nothing that takes long."""

import argparse
import sys
from functools import partial

from ..version import __version__
from .arguments import data, detectors, running

OPTIONS = {  # what adds the options of a command, and describes it: the same in short
    running.train: 'train a detector',
    running.test: 'measure a detector: AP by class, or the recall of its proposals',
    detectors.detect: 'detect in pictures and videos',
    detectors.inspect_stages: 'look inside: a picture of every stage, and one page',
    running.browse_dataset: 'draw training images with their boxes',
    detectors.export: 'one file for other programs: OpenVINO, ONNX or torch.export',
    data.prepare: 'make a folder to train on out of any annotated pictures',
    data.prepare_voc: 'the former name of prepare',
    data.check_dataset: 'say what is wrong with a data set, and write a cleaned copy',
    data.make_proposals: 'find regions for R-CNN and Fast R-CNN',
    data.make_shapes: 'generate the data of the demo',
    detectors.convert: 'checkpoints of other code bases into ours, and back',
}
# the module of each command, which has a function of the same name
COMMANDS = [add.__name__ for add in OPTIONS]


def build_parser() -> argparse.ArgumentParser:
    """The parser of ``frcnn COMMAND ...``."""
    parser = argparse.ArgumentParser(
        prog='frcnn', description='Faster R-CNN on mmengine and mmdet.',
        formatter_class=partial(argparse.HelpFormatter, max_help_position=20),
        epilog='frcnn COMMAND --help lists the options of each. A config is a file, or '
        'the name of one that comes with the package, such as frcnn_r50_c4_voc.')
    parser.add_argument('--version', action='version',
                        version=f'frcnn_plugin {__version__}')
    commands = parser.add_subparsers(
        dest='command', metavar='COMMAND', title='commands', required=True)
    for add_options, what in OPTIONS.items():
        name = add_options.__name__.replace('_', '-')
        add_options(commands.add_parser(name, help=what,
                                        description=add_options.__doc__))
    return parser


def parse(name: str, argv: list[str] | None) -> argparse.Namespace:
    """Read the arguments of a command of ``COMMANDS``; None: those of the process."""
    words = sys.argv[1:] if argv is None else argv
    return build_parser().parse_args([name.replace('_', '-'), *words])
