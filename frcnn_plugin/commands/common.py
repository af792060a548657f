"""What the commands share: options, the runner, one line for each error."""

import argparse
import os
from collections.abc import Callable

from mmengine.config import Config, DictAction
from mmengine.runner import Runner


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


def build_runner(cfg: Config) -> Runner:
    """mmengine's runner for a config."""
    return Runner.from_cfg(cfg)


def main_process(say: Callable[[str], None]) -> Callable[[str], None]:
    """The same function, silent in all but the first process of a job."""
    first = os.environ.get('RANK', '0') == '0'
    return say if first else lambda message: None
