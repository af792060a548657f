"""What the command line changes in a config, everywhere it matters.

Comes in: a config and one option. Goes out: the same config, changed in place.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import torch
from mmengine.config import Config

from ..backbones.pretrained import WeightsUnreachable, read_weights
from ..utils.errors import UserError
from .common import say

FROM_SCRATCH = 'from_scratch'
LAUNCHERS = {
    'pytorch': ('RANK', 'torchrun --nproc_per_node=N tools/train.py CONFIG --launcher '
                'pytorch'),
    'slurm': ('SLURM_PROCID', 'srun python tools/train.py CONFIG --launcher slurm'),
    'mpi': ('OMPI_COMM_WORLD_LOCAL_RANK', 'mpirun python tools/train.py CONFIG '
            '--launcher mpi'),
}
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def load_config(path: str, cfg_options: dict | None = None,
                needs: tuple[str, ...] = ('model',)) -> Config:
    """Read a config file and apply ``--cfg-options``.

    Args:
        path: The file.
        cfg_options: Settings to change, by their dotted names.
        needs: Parts that it must have.

    Raises:
        UserError: If the file is missing, is no whole config or does not run, or has no
            place for the options.
    """
    if not Path(path).is_file():
        raise UserError(f'{path}: no such config file; the configs are in configs/')
    try:
        cfg = Config.fromfile(path)
    except Exception as error:  # a config is Python: anything may go wrong in it
        raise UserError(f'{path}: not a config that can be read '
                        f'({type(error).__name__}: {_one_line(error)})') from error
    try:
        cfg.merge_from_dict(cfg_options or {})
    except (TypeError, KeyError, ValueError, AttributeError, IndexError) as error:
        raise UserError(f'--cfg-options do not fit {path}: '
                        f'{_one_line(error)}') from error
    lacking = [name for name in needs if name not in cfg]
    if lacking:
        raise UserError(f'{path}: has no {", ".join(lacking)}; it is a part for other '
                        'configs, the whole ones are in configs/')
    return cfg


def _one_line(error: Exception) -> str:
    return ' '.join(str(error).split())


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

    It ends with a checkpoint. A run shorter than the config's interval of validation is
    not validated, though mmengine would at its end.
    """
    if max_iters < 1:
        raise UserError(f'--max-iters is {max_iters}; it must be at least 1')
    interval = cfg.train_cfg.get('val_interval', 1000)
    whole = cfg.train_cfg.get('max_iters', max_iters)
    if 'max_iters' not in cfg.train_cfg:
        interval = max_iters + 1  # the interval of a loop by epochs counts epochs
    begin = cfg.train_cfg.get('val_begin', 1)
    if max_iters < interval:
        begin = max_iters + 1
    cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters,
                         val_begin=begin, val_interval=interval)
    schedulers = cfg.get('param_scheduler') or []
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


def settle_pretrained(cfg: Config, from_scratch: bool, trial: bool) -> None:
    """Make sure of the pretrained weights before anything long starts.

    Args:
        cfg: The config.
        from_scratch: Whether the user asked for random weights.
        trial: Whether the run is a short trial. A trial goes on from scratch where the
            weights can not be downloaded, and says so; a real run stops there.

    Raises:
        UserError: If the weights can not be had or are no checkpoint.
    """
    if from_scratch:
        train_from_scratch(cfg)
        return
    sources = {node['checkpoint'] for node in nested_dicts(cfg.model)
               if node.get('type') == 'Pretrained' and 'checkpoint' in node}
    for source in sorted(sources):
        scheme, found, _ = source.partition('://')
        if found and scheme not in ('torchvision', 'http', 'https'):
            continue  # one of mmengine's own, for the stock part that names it
        try:
            read_weights(source)
        except WeightsUnreachable as error:
            if not trial:
                raise
            say(f'ERROR: {error}. This is a trial run (--max-iters), so it goes on '
                'from scratch')
            train_from_scratch(cfg)
            return


def start_from_checkpoint(cfg: Config, meta: dict, from_scratch: bool) -> None:
    """Go on with a run: its weights come from its checkpoint, nothing else is needed.

    Args:
        cfg: The config.
        meta: The checkpoint's ``meta``; a run from scratch goes on as one.
        from_scratch: Whether the user says that it is one.
    """
    if from_scratch or f'{FROM_SCRATCH} = True' in str(meta.get('cfg', '')):
        train_from_scratch(cfg)
    for node in nested_dicts(cfg.model):
        if is_pretrained(node):
            node['init_cfg'] = None


def train_from_scratch(cfg: Config) -> None:
    """Drop pretrained weights, and what makes sense on top of them only.

    Random stages are not frozen, and batch normalisation learns its statistics: fixed
    at their initial values they would let the activations grow without bound.
    """
    cfg[FROM_SCRATCH] = True  # remembered in the checkpoints, for resuming
    for node in nested_dicts(cfg.model):
        if not is_pretrained(node):
            continue
        node['init_cfg'] = None
        for name, value in (('frozen_stages', -1), ('norm_eval', False),
                            ('norm_requires_grad', True)):
            if name in node:
                node[name] = value


def is_pretrained(part: dict) -> bool:
    """Whether a part of the model starts from pretrained weights."""
    init_cfg = part.get('init_cfg')
    return isinstance(init_cfg, dict) and init_cfg.get('type') == 'Pretrained'


def check_deterministic(cfg: Config) -> None:
    """Refuse what has no deterministic kernel.

    Raises:
        UserError: If the model uses RoIPool on a GPU.
    """
    kinds = [node.get('type') for node in nested_dicts(cfg.model)]
    if torch.cuda.is_available() and 'RoIPool' in kinds:
        raise UserError(
            '--deterministic: RoIPool has no deterministic backward pass on a GPU; use '
            'RoIAlign with --cfg-options '
            'model.roi_head.bbox_roi_extractor.roi_layer.type=RoIAlign')


def set_launcher(cfg: Config, launcher: str) -> None:
    """Say how a distributed job was started, and what fits the machine.

    Raises:
        UserError: If this process was not started that way.
    """
    cfg.launcher = launcher
    if launcher == 'none':
        return
    variable, start = LAUNCHERS[launcher]
    if variable not in os.environ:
        raise UserError(f'--launcher {launcher}: this process was not started by it '
                        f'({variable} is not set); start it with: {start}')
    if torch.cuda.is_available():
        return
    if launcher != 'pytorch':
        raise UserError(f'--launcher {launcher} needs GPUs; on CPUs use: '
                        f'{LAUNCHERS["pytorch"][1]}')
    # mmengine's launcher takes a GPU for granted: on the CPU we open the group
    # ourselves, and tell the wrapper that there is no device to name
    cfg.env_cfg.setdefault('dist_cfg', {})['backend'] = 'gloo'
    cfg.model_wrapper_cfg = dict(type='MMDistributedDataParallel', device_ids=None,
                                 broadcast_buffers=False)
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group('gloo')
