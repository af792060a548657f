"""What the commands share: options, and where they say things."""

import argparse
import os

from mmengine.config import DictAction

from ..errors import UserError

RANKS = ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK')


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """Options that training and testing have in common."""
    parser.add_argument('--data-root', metavar='DIR',
                        help='a folder with Annotations/, JPEGImages/ and '
                        'ImageSets/Main/, or a VOCdevkit that holds such folders')
    parser.add_argument('--classes', nargs='+', metavar='NAME',
                        help='the classes, in the order of their labels')
    parser.add_argument('--work-dir', metavar='DIR',
                        help='where logs and checkpoints go; default: '
                        'work_dirs/CONFIG')
    parser.add_argument('--launcher', default='none',
                        choices=['none', 'pytorch', 'slurm', 'mpi'],
                        help='how a distributed job was started')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='K=V',
                        help='change single settings, for example '
                        'optim_wrapper.optimizer.lr=0.01')


def parse(parser: argparse.ArgumentParser,
          argv: list[str] | None) -> argparse.Namespace:
    """Read the command line.

    Raises:
        UserError: If ``--cfg-options`` are not of the form KEY=VALUE.
    """
    try:
        return parser.parse_args(argv)
    except ValueError as error:  # mmengine's action splits without a look
        raise UserError('--cfg-options takes KEY=VALUE, for example '
                        'optim_wrapper.optimizer.lr=0.01') from error


def say(message: str) -> None:
    """Print, in the first process of a job only; it need not have joined its group."""
    if all(os.environ.get(name, '0') == '0' for name in RANKS):
        print(message, flush=True)
