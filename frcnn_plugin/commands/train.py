"""``frcnn train``: train a detector from a config."""

import argparse
import os

import torch
from mmengine.config import Config
from mmengine.runner import Runner

from ..config import changes
from ..config.changes import apply
from ..config.initialisation import set_pretrained, train_from_scratch
from ..config.schedule import set_max_iters
from ..engine.frozen_phase_hook import model_of
from ..engine.resume.latest_checkpoint import check_resumable, find_latest
from ..errors import UserError
from ..io.checkpoints import check_fit, read_checkpoint
from ..registry import explain_config
from . import machine
from .common import common_changes, print_on_master, read_config
from .full_disk import explain_full_disk
from .memory import explain_out_of_memory
from .parser import parse
from .weights import check_weights, take_weights_of_run


def configure(args: argparse.Namespace) -> Config:
    """The config with everything that the command line says.

    Raises:
        UserError: If the two do not fit together, or the machine cannot do it.
    """
    gpu = torch.cuda.is_available()
    if args.amp and not gpu:
        raise UserError('--amp needs a GPU, and torch finds none; leave it out')
    cfg = read_config(args, ('model', 'train_dataloader', 'train_cfg', 'optim_wrapper'))
    apply(cfg, [
        *common_changes(cfg, args),
        (set_max_iters, args.max_iters),
        (changes.use_amp, args.amp),
        (changes.add_tensorboard, args.tensorboard),
        (changes.set_seed, args.seed),
        (changes.set_deterministic, args.deterministic),
        (changes.copy_while_computing, gpu),
        (set_pretrained, args.pretrained),
        (train_from_scratch, args.from_scratch),
        (changes.update, dict(launcher=args.launcher)),
        (changes.distribute_on_cpu, args.launcher != 'none' and not gpu),
    ])
    if args.deterministic:
        machine.check_deterministic(cfg)
        os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
    return cfg


def checkpoint_to_resume(resume: str | None, work_dir: str) -> dict | None:
    """The content of the checkpoint that ``--resume`` means, with its ``path``.

    Raises:
        UserError: If it cannot be read, or training cannot continue from it.
    """
    if not resume:
        return None
    if resume == 'auto':
        found = find_latest(work_dir, print_on_master)
        if found is None:
            print_on_master(f'--resume: no checkpoint in {work_dir} yet, training '
                            'starts from the beginning')
            return None
        path, content = found
    else:
        path, content = resume, read_checkpoint(resume)
        check_resumable(content, path)
    return {**content, 'path': path}


def seed_of_run(cfg: Config, meta: dict) -> int | None:
    """The seed of the run to continue; with another one it would be another run."""
    seed, asked = meta.get('seed'), (cfg.get('randomness') or {}).get('seed')
    if None not in (seed, asked) and asked != seed:
        print_on_master(f'warning: --seed {asked} differs from the seed of the run to '
                        f'continue, which is {seed}; it continues with {seed}')
    return seed


def train(argv: list[str] | None = None) -> int:
    """Run ``frcnn train``."""
    args = parse('train', argv)
    cfg = configure(args)
    checkpoint = checkpoint_to_resume(args.resume, cfg.work_dir)
    if checkpoint:
        apply(cfg, [(changes.update, dict(resume=True, load_from=checkpoint['path'])),
                    (changes.set_seed, seed_of_run(cfg, checkpoint['meta']))])
        take_weights_of_run(cfg, checkpoint['meta'])
    else:
        check_weights(cfg, trial=args.max_iters is not None)
    machine.join_group(args.launcher)
    with (explain_config(),
          explain_full_disk(cfg.work_dir, ', then continue with --resume'),
          explain_out_of_memory(cfg, 'train_dataloader')):
        runner = Runner.from_cfg(cfg)
        if checkpoint:
            check_fit(model_of(runner), checkpoint['state_dict'], checkpoint['path'])
        runner.train()
        del runner
    machine.leave_group(args.launcher)
    return 0
