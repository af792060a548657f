"""``tools/train.py``: train a detector from a config."""

import argparse
import os

import torch
from mmengine.config import Config
from mmengine.runner import Runner

from ..engine.frozen_phase_hook import model_of
from ..engine.resume.latest_checkpoint import check_resumable, find_latest
from ..errors import UserError
from ..io.checkpoints import check_fit, read_checkpoint
from . import machine, overrides, starting_point
from .common import add_common_options, parse, say
from .explain_config import explain_config
from .full_disk import explain_full_disk
from .memory import explain_out_of_memory


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Train a detector.')
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
                       help='pretrained weights of your own: a path, a URL or '
                       'torchvision://NAME')
    start.add_argument('--from-scratch', action='store_true',
                       help='start from random weights instead of pretrained ones')
    parser.add_argument('--tensorboard', action='store_true',
                        help='write curves for TensorBoard into the work dir too')
    parser.add_argument('--seed', type=int, metavar='N', help='seed of everything')
    parser.add_argument('--deterministic', action='store_true',
                        help='use deterministic kernels only')
    return parse(parser, argv)


def configure(args: argparse.Namespace) -> Config:
    """The config with everything that the command line says, but where to start from.

    Raises:
        UserError: If the two do not fit together.
    """
    cfg = overrides.config_of(args, ('model', 'train_dataloader', 'train_cfg'))
    if args.seed is not None and not 0 <= args.seed < 2**32:
        raise UserError(f'--seed is {args.seed}; it must be from 0 to {2**32 - 1}')
    if args.max_iters is not None:
        overrides.set_max_iters(cfg, args.max_iters)
    if args.amp:
        if not torch.cuda.is_available():
            raise UserError('--amp needs a GPU, and torch finds none; leave it out')
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    if args.tensorboard:
        overrides.add_tensorboard(cfg)
    if args.deterministic:
        machine.check_deterministic(cfg)
        os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
    if args.seed is not None or args.deterministic:
        said = dict(seed=args.seed, deterministic=args.deterministic or None)
        cfg.randomness = {**cfg.get('randomness', {}), **{
            name: value for name, value in said.items() if value is not None}}
    return cfg


def checkpoint_to_resume(resume: str | None, work_dir: str) -> dict | None:
    """The content of the checkpoint that ``--resume`` means, with its ``path``.

    Raises:
        UserError: If it can not be read, or training can not go on from it.
    """
    if not resume:
        return None
    if resume == 'auto':
        found = find_latest(work_dir, say)
        if found is None:
            say(f'--resume: no checkpoint in {work_dir} yet, training starts anew')
            return None
        path, content = found
    else:
        path, content = resume, read_checkpoint(resume)
        check_resumable(content, path)
    return {**content, 'path': path}


def keep_seed(cfg: Config, meta: dict) -> None:
    """The seed of the run that goes on; with another one it would be another run."""
    seed, asked = meta.get('seed'), cfg.get('randomness', {}).get('seed')
    if seed is None:
        return
    if asked not in (None, seed):
        say(f'warning: --seed {asked} is not that of the run that goes on, which is '
            f'{seed}; it goes on with {seed}')
    cfg.randomness = {**cfg.get('randomness', {}), 'seed': seed}


def train(argv: list[str] | None = None) -> None:
    """Run the command.

    Args:
        argv: Its arguments. Default: those of the process.

    Raises:
        UserError: If something is wrong that the user can mend.
    """
    args = parse_args(argv)
    cfg = configure(args)
    checkpoint = checkpoint_to_resume(args.resume, cfg.work_dir)
    if args.pretrained:  # of use to a run that goes on too: alternating training
        starting_point.set_pretrained(cfg, args.pretrained)
    if checkpoint:
        cfg.resume, cfg.load_from = True, checkpoint['path']
        keep_seed(cfg, checkpoint['meta'])
        starting_point.start_from_checkpoint(cfg, checkpoint['meta'], args.from_scratch)
    else:
        starting_point.check_load_from(cfg)
        starting_point.settle_pretrained(
            cfg, args.from_scratch, trial=args.max_iters is not None)
    machine.set_transfer(cfg)
    machine.set_launcher(cfg, args.launcher)
    with (explain_config(),
          explain_full_disk(cfg.work_dir, ', then go on with --resume'),
          explain_out_of_memory(cfg, 'train_dataloader')):
        runner = Runner.from_cfg(cfg)
        if checkpoint:
            check_fit(model_of(runner), checkpoint['state_dict'], checkpoint['path'])
        runner.train()
        del runner
    machine.leave_group(args.launcher)
