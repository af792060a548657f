"""What the command line changes in a config, everywhere it matters.

Comes in: a config and one option. Goes out: the same config, changed in place.
"""

import argparse
from importlib.util import find_spec
from pathlib import Path

from mmengine.config import Config

from ..config.files import load_config
from ..config.parts import datasets_of, set_classes, set_data_root
from ..errors import UserError

STOCK_HOOKS = ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler',
               'checkpoint')
SAFETY = ('max_broken', 'non_finite', 'max_skipped')  # of both training loops


def config_of(args: argparse.Namespace, needs: tuple[str, ...]) -> Config:
    """The config with the options that all commands have.

    Args:
        args: With those of :func:`add_common_options`.
        needs: Parts that the config must have.

    Raises:
        UserError: If the two do not fit together.
    """
    cfg = load_config(args.config, args.cfg_options, needs)
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or str(
        Path('work_dirs') / Path(args.config).stem)
    if Path(cfg.work_dir).exists() and not Path(cfg.work_dir).is_dir():
        raise UserError(f'{cfg.work_dir}: is a file; --work-dir takes a folder')
    for name, hook in list(cfg.get('default_hooks', {}).items()):
        if hook is None and name not in STOCK_HOOKS:
            del cfg.default_hooks[name]  # mmengine knows how to leave out its own only
    if args.data_root:
        set_data_root(cfg, args.data_root)
    if args.classes:
        set_classes(cfg, args.classes)
    return cfg


def set_split(cfg: Config, split: str) -> None:
    """Test on another split.

    Raises:
        UserError: If the data set has no split files.
    """
    for dataset in datasets_of(cfg, ('test_dataloader',)):
        if 'ann_file' in dataset:
            raise UserError(f'--split: {dataset["type"]} has no split files; name its '
                            'annotations with --cfg-options '
                            'test_dataloader.dataset.ann_file=FILE')
        dataset['split'] = split


def add_tensorboard(cfg: Config) -> None:
    """Write the curves for TensorBoard too.

    Raises:
        UserError: If it is not installed.
    """
    if find_spec('tensorboard') is None:
        raise UserError('--tensorboard: TensorBoard is not installed (pip install '
                        'tensorboard)')
    visualizer = cfg.setdefault('visualizer', dict(type='DetLocalVisualizer'))
    visualizer.vis_backends = [*(visualizer.get('vis_backends') or []),
                               dict(type='TensorboardVisBackend')]


def share(total: int, steps: list[int]) -> list[int]:
    """Divide a number in the proportions of others, each share at least 1.

    Raises:
        UserError: If it is too small for that.
    """
    if total < len(steps):
        raise UserError(f'--max-iters is {total}; this config trains in {len(steps)} '
                        'steps, each of which needs at least 1')
    spare, shares = total - len(steps), []
    for index, step in enumerate(steps):
        part = round(spare * step / sum(steps[index:]))
        spare -= part
        shares.append(1 + part)
    return shares


def set_max_iters(cfg: Config, max_iters: int) -> None:
    """Stop after so many steps: a trial run.

    It ends with a checkpoint. A run shorter than the config's interval of validation is
    not validated, though mmengine would at its end.
    """
    if max_iters < 1:
        raise UserError(f'--max-iters is {max_iters}; it must be at least 1')
    interval = cfg.train_cfg.get('val_interval', 1000)
    steps = cfg.train_cfg.get('steps')
    whole = max(steps) if steps else cfg.train_cfg.get('max_iters', max_iters)
    if not steps and 'max_iters' not in cfg.train_cfg:
        interval = max_iters + 1  # the interval of a loop by epochs counts epochs
    begin = cfg.train_cfg.get('val_begin', 1)
    if max_iters < interval:
        begin = max_iters + 1
    schedulers = cfg.get('param_scheduler') or []
    if steps:
        cfg.train_cfg.steps = share(max_iters, steps)
        if max_iters < interval:
            cfg.train_cfg.val_begin = begin
    else:
        kept = {name: cfg.train_cfg[name] for name in SAFETY if name in cfg.train_cfg}
        cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters,
                             val_begin=begin, val_interval=interval, **kept)
    for scheduler in schedulers if isinstance(schedulers, list) else [schedulers]:
        # by default mmengine ends them with the run: what the whole run would do must
        # not change, for it may be resumed
        last = max(whole, scheduler.get('begin', 0) + 1)
        scheduler.setdefault('end', last)
    logger = cfg.default_hooks.get('logger')
    if logger:
        logger['interval'] = max(1, min(logger.get('interval', 50), max_iters // 10))
    checkpoint = cfg.default_hooks.get('checkpoint')
    if checkpoint:
        checkpoint['by_epoch'] = False
    cfg.setdefault('log_processor', dict(type='LogProcessor'))['by_epoch'] = False
