"""``tools/train.py``: train a detector from a config."""

import argparse
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.runner import Runner

from ..utils.checkpoints import read_checkpoint
from ..utils.errors import UserError
from . import overrides
from .common import add_common_options, build_runner, main_process


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='train.py', description='Train a detector.')
    parser.add_argument('config', help='a Python config file, see configs/')
    add_common_options(parser)
    parser.add_argument('--max-iters', type=int, metavar='N',
                        help='stop after N steps, a trial run')
    parser.add_argument('--resume', nargs='?', const='auto', metavar='CHECKPOINT',
                        help='go on from a checkpoint; without a name from the latest '
                        'in the work dir')
    parser.add_argument('--amp', action='store_true',
                        help='automatic mixed precision (needs a GPU)')
    start = parser.add_mutually_exclusive_group()
    start.add_argument('--pretrained', metavar='SOURCE',
                       help='pretrained weights of your own: a path, a '
                       'URL or torchvision://NAME')
    start.add_argument('--from-scratch', action='store_true',
                       help='start from random weights instead of pretrained ones')
    parser.add_argument('--seed', type=int, metavar='N', help='seed of everything')
    parser.add_argument('--deterministic', action='store_true',
                        help='use deterministic kernels only')
    return parser.parse_args(argv)


def configure(args: argparse.Namespace) -> Config:
    """The config with everything that the command line says.

    Raises:
        UserError: If the two do not fit together.
    """
    cfg = overrides.load_config(args.config, args.cfg_options)
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or str(
        Path('work_dirs') / Path(args.config).stem)
    if args.data_root:
        overrides.set_data_root(cfg, args.data_root)
    if args.classes:
        overrides.set_classes(cfg, args.classes)
    if args.max_iters is not None:
        overrides.set_max_iters(cfg, args.max_iters)
    if args.amp:
        if not torch.cuda.is_available():
            raise UserError('--amp needs a GPU, and torch finds none; leave it out')
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    if args.seed is not None or args.deterministic:
        cfg.randomness = dict(seed=args.seed, deterministic=args.deterministic)
    if args.pretrained:
        overrides.set_pretrained(cfg, args.pretrained)
    if args.resume:
        cfg.resume = True
        cfg.load_from = None
        if args.resume != 'auto':
            read_checkpoint(args.resume)  # refused here rather than after the data
            cfg.load_from = args.resume
    else:
        overrides.settle_pretrained(
            cfg, args.from_scratch, args.max_iters is not None, main_process(print))
    return cfg


def train(argv: list[str] | None = None) -> None:
    """Run the command.

    Args:
        argv: Its arguments. Default: those of the process.

    Raises:
        UserError: If something is wrong that the user can mend.
    """
    args = parse_args(argv)
    cfg = configure(args)
    overrides.set_launcher(cfg, args.launcher)
    runner: Runner = build_runner(cfg)
    runner.train()
