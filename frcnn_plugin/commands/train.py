"""``frcnn train``: train a detector from a config."""

import argparse
import os
from pathlib import Path
from time import monotonic

import torch
from mmengine.config import Config
from mmengine.runner import Runner

from ..accelerate.precision import check_mixed_precision, has_bfloat16
from ..backbones.pretrained import read_weights
from ..config import changes, initialisation
from ..config.parts import nested_dicts
from ..config.schedule import set_max_iters, set_minutes
from ..engine.frozen_phase_hook import model_of
from ..engine.resume.latest_checkpoint import check_resumable, find_latest
from ..engine.start_from_hook import read_detector
from ..errors import UserError, WeightsUnreachableError
from ..io.checkpoints import check_fit, read_checkpoint
from ..io.large_image import allow_large_pictures
from ..registry import explain_config
from . import STARTED, machine
from .common import check_order_of_classes, command_line, read_config
from .machine import print_on_master
from .out_of_space import explain_full_disk, explain_out_of_memory
from .parser import parse
from .train_folder import recipe_of_folder


def configure(args: argparse.Namespace) -> Config:
    """The config with everything that the command line says."""
    gpu = torch.cuda.is_available()
    if args.amp:
        check_mixed_precision('cuda' if gpu else 'cpu')
    cfg = read_config(args, ('model', 'train_dataloader', 'train_cfg', 'optim_wrapper'))
    cfg.launcher = args.launcher
    kind = str(cfg.optim_wrapper.get('type'))
    if args.amp is None and kind.endswith('BF16OptimWrapper') and (
            gpu or not has_bfloat16()):
        print_on_master(f'{args.config} was made for a CPU with bfloat16; here it '
                        'trains in float32')
        args.amp = False
    changes.apply(cfg, [
        (set_max_iters, args.max_iters),
        (set_minutes, args.minutes),
        (changes.use_amp if gpu else changes.use_bfloat16, args.amp),
        (changes.use_float32, args.amp is False),
        *((changes.follow_with, getattr(args, tool) and tool)
          for tool in ('tensorboard', 'mlflow', 'wandb')),
        (changes.set_seed, args.seed),
        (changes.set_deterministic, args.deterministic),
        (changes.copy_while_computing, gpu),
        (initialisation.set_pretrained, args.pretrained),
        (initialisation.start_from, args.start),
        (initialisation.train_from_scratch, args.from_scratch),
        (changes.distribute_on_cpu, args.launcher != 'none' and not gpu),
    ])
    if args.deterministic:
        kinds = [node.get('type') for node in nested_dicts(cfg.model)]
        if gpu and 'RoIPool' in kinds:
            raise UserError(
                '--deterministic: RoIPool has no deterministic backward pass on a GPU; '
                'use RoIAlign with --cfg-options '
                'model.roi_head.bbox_roi_extractor.roi_layer.type=RoIAlign')
        os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
    return cfg


def checkpoint_to_resume(resume: str | None, work_dir: str) -> dict | None:
    """The content of the checkpoint that ``--resume`` means, with its ``path``."""
    if not resume:
        return None
    if resume != 'auto':
        content = read_checkpoint(resume)
        check_resumable(content, resume)
        return {**content, 'path': resume}
    if found := find_latest(work_dir, print_on_master):
        return {**found[1], 'path': found[0]}
    print_on_master(f'--resume: no checkpoint in {work_dir} yet, training starts from '
                    'the beginning')
    return None


def seed_of_run(cfg: Config, meta: dict) -> int | None:
    """The seed of the run to continue; with another one it would be another run."""
    seed, asked = meta.get('seed'), (cfg.get('randomness') or {}).get('seed')
    if None not in (seed, asked) and asked != seed:
        print_on_master(f'warning: --seed {asked} differs from the seed of the run to '
                        f'continue, which is {seed}; it continues with {seed}')
    return seed


def check_weights(cfg: Config, trial: bool = False) -> None:
    """Make sure that a new run gets the weights that it starts from.

    A trial trains from scratch where pretrained weights cannot be downloaded, and says
    so; a real run stops.
    """
    source = cfg.get('load_from')
    if source and '://' not in source:
        read_checkpoint(source)
    elif source and is_read_here(source):
        read_weights(source)
    hook = (cfg.get('default_hooks') or {}).get(initialisation.START_HOOK)
    if hook:
        read_detector(hook['checkpoint'])
    for source in sources_to_read(cfg):
        try:
            read_weights(source)
        except WeightsUnreachableError as error:
            if not trial:
                raise
            print_on_master(f'ERROR: {error}. This is a trial run (--max-iters), so it '
                            'trains from scratch')
            initialisation.train_from_scratch(cfg)
            return


def is_read_here(source: str) -> bool:
    """Whether it is a path, a URL or a published name, and none of a store."""
    scheme, found, _ = source.partition('://')
    return not found or scheme in ('torchvision', 'open-mmlab', 'http', 'https')


def sources_to_read(cfg: Config) -> list[str]:
    """The pretrained weights that parts of the model start from and that we read."""
    return sorted({node['checkpoint'] for node in nested_dicts(cfg.model)
                   if node.get('type') == 'Pretrained' and 'checkpoint' in node
                   and is_read_here(node['checkpoint'])})


def take_weights_of_run(cfg: Config, meta: dict) -> None:
    """Continue a run: its weights come from its checkpoint, nothing else is needed.

    A run from scratch, as the checkpoint's ``meta`` tells, is continued as one.
    """
    if initialisation.is_from_scratch(str(meta.get('cfg', ''))):
        initialisation.train_from_scratch(cfg)
    if 'steps' in cfg.train_cfg:  # alternating training starts from them twice
        for source in sources_to_read(cfg):
            read_weights(source)
    else:
        initialisation.drop_pretrained(cfg)


def train(argv: list[str] | None = None) -> None:
    """Run ``frcnn train``."""
    args = parse('train', argv)
    allow_large_pictures()
    if args.minutes is not None and not 0 < args.minutes < float('inf'):
        raise UserError(f'--minutes is {args.minutes:g}; it must be above 0')
    of_folder = Path(args.config).is_dir()
    if of_folder:
        recipe_of_folder(args, STARTED)
        if args.plan:
            return
    cfg = configure(args)
    if args.tiles is not None and not of_folder:
        raise UserError('--tiles: for a folder of pictures; in a config a TiledDataset '
                        'makes tiles')
    checkpoint = checkpoint_to_resume(args.resume, cfg.work_dir)
    if checkpoint:
        for key, what in (('data_digest', 'on other data'),
                          ('recipe_id', 'of another recipe')):
            if cfg.get(key, '') not in str(checkpoint['meta'].get('cfg')):
                raise UserError(f'{checkpoint["path"]}: of an earlier run, {what}; '
                                'leave out --resume, or name another --work-dir')
        cfg.resume, cfg.load_from = True, checkpoint['path']
        changes.apply(cfg, [(changes.set_seed, seed_of_run(cfg, checkpoint['meta']))])
        take_weights_of_run(cfg, checkpoint['meta'])
        check_order_of_classes(cfg, 'train_dataloader', checkpoint['meta'],
                               checkpoint['path'])
    else:
        check_weights(cfg, trial=args.max_iters is not None)
    machine.join_group(args.launcher)
    with (explain_config(),
          explain_full_disk(cfg.work_dir, ', then continue with --resume'),
          explain_out_of_memory(cfg, 'train_dataloader')):
        if cfg.train_cfg.type == 'TimedTrainLoop':
            cfg.train_cfg.spent = monotonic() - STARTED
        if 'data_digest' in cfg:  # the recipe stays as it was made; this is the run's
            name = f'{Path(cfg.work_dir).resolve().name}.py'
            object.__setattr__(cfg, '_filename', str(Path(cfg.work_dir) / name))
        cfg.command = command_line('train', argv)
        runner = Runner.from_cfg(cfg)
        if checkpoint:
            check_fit(model_of(runner), checkpoint['state_dict'], checkpoint['path'])
        runner.train()
        del runner
    machine.leave_group(args.launcher)
