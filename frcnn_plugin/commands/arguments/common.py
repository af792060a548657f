"""Options that several commands have."""

import argparse
from pathlib import Path

DATA_ROOT = ('a folder with Annotations/, JPEGImages/ and ImageSets/Main/, or a '
             'VOCdevkit that holds such folders')

LAUNCHERS = ['none', 'pytorch', 'slurm', 'mpi']
LAUNCHER = 'how a distributed job was started'
AMP = 'automatic mixed precision: on a GPU, or on a CPU that has bfloat16'


class ClassNames(argparse.Action):
    """Names, or a text file that has one on each line.

    Only a file can hold a name that begins with a dash.
    """

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        """Keep the names."""
        file = Path(values[0])
        if len(values) == 1 and file.suffix == '.txt' and file.is_file():
            try:
                lines = file.read_text('utf-8-sig').splitlines()
            except UnicodeDecodeError:
                parser.error(f'{file} is not encoded in UTF-8')
            values = [line.strip() for line in lines if line.strip()]
        setattr(namespace, self.dest, values)


def add_config_options(parser: argparse.ArgumentParser, launcher: bool = True) -> None:
    """What every command has that reads a config and a data set."""
    add = parser.add_argument
    add('--data-root', metavar='DIR', help=DATA_ROOT)
    add('--classes', nargs='+', metavar='NAME', action=ClassNames,
        help='the classes in the order of their labels, or a classes.txt')
    add('--work-dir', metavar='DIR',
        help='where logs and checkpoints go; default: work_dirs/CONFIG')
    add('--cfg-options', nargs='+', action='extend', metavar='K=V',
        help='change single settings, for example optim_wrapper.optimizer.lr=0.01')
    if launcher:
        add('--launcher', default='none', choices=LAUNCHERS, help=LAUNCHER)


def add_detector(parser: argparse.ArgumentParser, metavar='[CONFIG] CHECKPOINT', help=(
        'a checkpoint that training wrote, which contains its config; to override it, '
        'put a config first. detect also takes an exported .xml or .onnx')) -> None:
    """One or two words that name a detector, as ``config`` and ``checkpoint``."""
    parser.add_argument('model', nargs='+', metavar=metavar, action=OneOrTwo, help=help)


def add_detection_options(parser: argparse.ArgumentParser, out: str, files: str,
                          kind: type = Path) -> None:
    """Where the results of a detector go, and which are shown."""
    add = parser.add_argument
    add('-o', '--out', type=kind, default=out, metavar='DIR',
        help=f'{files} go there (default: %(default)s)')
    add('--score-thr', type=float, metavar='SCORE',
        help='detections with a lower score are left out; default: what was best for '
        'each class in the validation images of the training, 0.3 if there were none')
    add('--classes', nargs='+', metavar='NAME', action=ClassNames,
        help='names in place of those in the checkpoint')


def add_tiles(parser: argparse.ArgumentParser) -> None:
    """Options for pictures that are larger than the input of a detector."""
    add = parser.add_argument
    add('--tiles', type=int, metavar='SIZE', help='detect in squares of so many pixels '
        'of a picture, and in all of it: finds what is too small in the whole; by '
        'default those that it was trained on; 0: pictures as they are')
    add('--overlap', type=float, default=0.2, metavar='SHARE', help='of a tile, which '
        'the next one has too (default: %(default)s)')


class OneOrTwo(argparse.Action):
    """Sets ``config`` and ``checkpoint``; one word is the checkpoint.

    A third word, which a shell makes of an unquoted pattern, is refused.
    """

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        if len(values) > 2:
            parser.error('one config and one checkpoint at most; put quotes around '
                         'image patterns')
        namespace.config, namespace.checkpoint = [None, *values][-2:]
