"""What the command line changes in a config, everywhere it matters.

Comes in: a config and one option. Goes out: the same config, changed in place.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from mmengine.config import Config

from ..backbones.pretrained import WeightsUnreachable, read_weights
from ..utils.errors import UserError

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def load_config(path: str, cfg_options: dict | None = None) -> Config:
    """Read a config file and apply ``--cfg-options``.

    Raises:
        UserError: If the file is missing, is no config or does not run.
    """
    if not Path(path).is_file():
        raise UserError(f'{path}: no such config file; the configs are in configs/')
    try:
        cfg = Config.fromfile(path)
    except (OSError, SyntaxError, NameError, KeyError, TypeError, ImportError) as error:
        raise UserError(f'{path}: not a config that can be read '
                        f'({type(error).__name__}: {error})') from error
    if cfg_options:
        cfg.merge_from_dict(cfg_options)
    return cfg


def nested_dicts(node) -> Iterator[dict]:
    """Every dict inside a config, the outer ones first."""
    if isinstance(node, dict):
        yield node
        for value in list(node.values()):
            yield from nested_dicts(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from nested_dicts(value)


def datasets_of(cfg: Config, loaders: tuple[str, ...] = LOADERS) -> Iterator[dict]:
    """Every dataset's config, wrapped ones too."""
    for loader in loaders:
        for node in nested_dicts((cfg.get(loader) or {}).get('dataset', {})):
            if 'data_root' in node:
                yield node


def set_data_root(cfg: Config, data_root: str) -> None:
    """Point every dataset of the config to a folder."""
    for dataset in datasets_of(cfg):
        dataset['data_root'] = data_root


def set_classes(cfg: Config, classes: list[str]) -> None:
    """Set the classes of every dataset and the size of every head.

    Raises:
        UserError: If a name is given twice.
    """
    if len(set(classes)) != len(classes):
        raise UserError(f'--classes: a name is given twice in {" ".join(classes)}')
    for dataset in datasets_of(cfg):
        dataset['metainfo'] = dict(classes=tuple(classes))
    for name, part in cfg.model.items():
        if name == 'rpn_head':  # objects and background, whatever the classes
            continue
        for node in nested_dicts(part):
            if 'num_classes' in node:
                node['num_classes'] = len(classes)


def set_split(cfg: Config, split: str) -> None:
    """Test on another split."""
    for dataset in datasets_of(cfg, ('test_dataloader',)):
        dataset['split'] = split


def set_max_iters(cfg: Config, max_iters: int) -> None:
    """Stop after so many steps: a trial run.

    It is validated at the config's interval only, not at its end, and ends with a
    checkpoint.
    """
    if max_iters < 1:
        raise UserError(f'--max-iters is {max_iters}; it must be at least 1')
    interval = cfg.train_cfg.get('val_interval', 1000)
    if 'max_iters' not in cfg.train_cfg:
        interval = max_iters + 1  # the interval of a loop by epochs counts epochs
    begin = cfg.train_cfg.get('val_begin', 1)
    if max_iters % interval:  # the loop would validate at its end all the same
        begin = max(begin, max_iters + 1) if max_iters < interval else begin
    cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters,
                         val_begin=begin, val_interval=interval)
    schedulers = cfg.get('param_scheduler') or []
    schedulers = schedulers if isinstance(schedulers, list) else [schedulers]
    cfg.param_scheduler = [  # mmengine refuses one that begins after the end
        scheduler for scheduler in schedulers if scheduler.get('begin', 0) < max_iters]
    logger = cfg.default_hooks.get('logger')
    if logger:
        logger['interval'] = max(1, min(logger.get('interval', 50), max_iters // 10))
    checkpoint = cfg.default_hooks.get('checkpoint')
    if checkpoint:
        checkpoint['by_epoch'] = False
    cfg.setdefault('log_processor', dict(type='LogProcessor'))['by_epoch'] = False


def set_pretrained(cfg: Config, source: str) -> None:
    """Take pretrained weights from elsewhere.

    Raises:
        UserError: If the config has no part that starts from pretrained weights.
    """
    nodes = [node for node in nested_dicts(cfg.model)
             if node.get('type') == 'Pretrained']
    if not nodes:
        raise UserError('--pretrained: nothing in this config starts from pretrained '
                        "weights; give a part init_cfg=dict(type='Pretrained', ...)")
    for node in nodes:
        node['checkpoint'] = source


def settle_pretrained(cfg: Config, from_scratch: bool, trial: bool,
                      say: Callable[[str], None]) -> None:
    """Make sure of the pretrained weights before anything long starts.

    Args:
        cfg: The config.
        from_scratch: Whether the user asked for random weights.
        trial: Whether the run is a short trial. A trial goes on from scratch where the
            weights can not be downloaded, and says so; a real run stops there.
        say: Where messages go.

    Raises:
        UserError: If the weights can not be had or are no checkpoint.
    """
    if from_scratch:
        train_from_scratch(cfg)
        return
    sources = {node['checkpoint'] for node in nested_dicts(cfg.model)
               if node.get('type') == 'Pretrained' and 'checkpoint' in node}
    for source in sorted(sources):
        try:
            read_weights(source)
        except WeightsUnreachable as error:
            if not trial:
                raise
            say(f'ERROR: {error}. This is a trial run (--max-iters), so it goes on '
                'from scratch')
            train_from_scratch(cfg)
            return


def train_from_scratch(cfg: Config) -> None:
    """Drop pretrained weights, and what makes sense on top of them only.

    Random stages are not frozen, and batch normalisation learns its statistics: fixed
    at their initial values they would let the activations grow without bound.
    """
    for node in nested_dicts(cfg.model):
        if (node.get('init_cfg') or {}).get('type') != 'Pretrained':
            continue
        node['init_cfg'] = None
        for name, value in (('frozen_stages', -1), ('norm_eval', False),
                            ('norm_requires_grad', True)):
            if name in node:
                node[name] = value


def set_launcher(cfg: Config, launcher: str) -> None:
    """Choose how a distributed job was started, and what fits the machine."""
    import torch
    cfg.launcher = launcher
    if launcher == 'none' or torch.cuda.is_available():
        return
    # mmengine's launcher takes a GPU for granted: on the CPU we open the group
    # ourselves, and tell the wrapper that there is no device to name
    cfg.env_cfg.setdefault('dist_cfg', {})['backend'] = 'gloo'
    cfg.model_wrapper_cfg = dict(type='MMDistributedDataParallel', device_ids=None,
                                 broadcast_buffers=False)
    if launcher == 'pytorch' and not torch.distributed.is_initialized():
        if 'RANK' not in os.environ:
            raise UserError('--launcher pytorch needs torchrun: torchrun '
                            '--nproc_per_node=N tools/train.py CONFIG --launcher '
                            'pytorch')
        torch.distributed.init_process_group('gloo')
