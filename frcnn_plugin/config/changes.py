"""Changes to a config: each in one place, applied as one list.

A change raises :class:`~frcnn_plugin.errors.ConfigError` if it does not fit the config.
"""

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path

from mmengine.config import Config

from ..errors import ConfigError
from .parts import datasets_of, nested_dicts, part_of

FOLLOWERS = dict(tensorboard='TensorboardVisBackend',
                 mlflow='frcnn_plugin.MLflowBackend', wandb='frcnn_plugin.WandbBackend')
MIXED = 'AmpOptimWrapper', 'BF16OptimWrapper'
OF_AMP = 'loss_scale', 'dtype', 'use_fsdp'  # settings that only mixed precision has


def apply(cfg: Config, changes: Iterable[tuple[Callable[..., None], object]]) -> None:
    """Change a config in place, step by step.

    A change is a function with its value: ``function(cfg, value)`` is called, or
    ``function(cfg)`` if the value is True. None and False leave a change out.
    """
    for change, value in changes:
        if value is True:
            change(cfg)
        elif value is not None and value is not False:
            change(cfg, value)


def set_work_dir(cfg: Config, folder: str) -> None:
    """Write logs and checkpoints there."""
    if Path(folder).exists() and not Path(folder).is_dir():
        raise ConfigError(f'{folder}: is a file, but the work dir is a folder')
    cfg.work_dir = folder


def set_data_root(cfg: Config, data_root: str) -> None:
    """Point every dataset of the config to a folder, and metrics with them."""
    old = {dataset['data_root'] for dataset in datasets_of(cfg)} - {None, ''}
    for dataset in datasets_of(cfg):
        dataset['data_root'] = data_root
    for node in nested_dicts([cfg.get('val_evaluator'), cfg.get('test_evaluator')]):
        path = Path(node.get('ann_file') or '.')
        root = next((each for each in old if path.is_relative_to(each)), None)
        if node.get('ann_file') and root:
            node['ann_file'] = str(Path(data_root) / path.relative_to(root))


def set_classes(cfg: Config, classes: list[str]) -> None:
    """Set the classes of every dataset and the size of every head."""
    if len(set(classes)) != len(classes):
        raise ConfigError(f'a class is given twice: {" ".join(classes)}')
    for dataset in datasets_of(cfg):
        dataset['metainfo'] = dict(classes=tuple(classes))
    # an RPN has objects and background, whatever the classes
    parts = [part for name, part in cfg.model.items() if name != 'rpn_head']
    for node in nested_dicts(parts):
        if 'num_classes' in node:
            node['num_classes'] = len(classes)


def set_seed(cfg: Config, seed: int) -> None:
    """Set the seed of everything."""
    if not 0 <= seed < 2**32:
        raise ConfigError(f'the seed is {seed}; it must be from 0 to {2**32 - 1}')
    cfg.randomness = {**(cfg.get('randomness') or {}), 'seed': seed}


def set_deterministic(cfg: Config) -> None:
    """Use deterministic kernels only."""
    cfg.randomness = {**(cfg.get('randomness') or {}), 'deterministic': True}


def use_amp(cfg: Config) -> None:
    """Train in automatic mixed precision on a GPU."""
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def use_bfloat16(cfg: Config) -> None:
    """Train in automatic mixed precision on a CPU."""
    cfg.optim_wrapper.type = 'frcnn_plugin.BF16OptimWrapper'
    for name in OF_AMP:
        cfg.optim_wrapper.pop(name, None)


def use_float32(cfg: Config) -> None:
    """Do not train in mixed precision, whatever the config says."""
    if str(cfg.optim_wrapper.get('type')).endswith(MIXED):
        cfg.optim_wrapper.type = 'OptimWrapper'
        for name in OF_AMP:
            cfg.optim_wrapper.pop(name, None)


def follow_with(cfg: Config, tool: str) -> None:
    """Send the curves to an experiment tracker too, by mmengine's backend.

    Raises:
        ConfigError: If it is not installed.
    """
    if find_spec(tool) is None:
        raise ConfigError(f'{tool} is not installed: '
                          f'pip install "frcnn-plugin[{tool}]"')
    visualizer = part_of(cfg, 'visualizer', dict(type='DetLocalVisualizer'))
    backend = dict(type=FOLLOWERS[tool])
    visualizer.vis_backends = [
        *(each for each in visualizer.get('vis_backends') or [] if each != backend),
        backend]


def follow_no_more(cfg: Config) -> None:
    """Do not log to MLflow or Weights & Biases: only trainings do."""
    visualizer = cfg.get('visualizer') or {}
    if visualizer.get('vis_backends'):
        visualizer['vis_backends'] = [
            each for each in visualizer['vis_backends']
            if each.get('type') not in (FOLLOWERS['mlflow'], FOLLOWERS['wandb'])]


def copy_while_computing(cfg: Config) -> None:
    """Copy batches to a GPU while it computes, from pinned memory."""
    if 'data_preprocessor' in cfg.model:
        cfg.train_dataloader.setdefault('pin_memory', True)
        cfg.model.data_preprocessor.setdefault('non_blocking', True)


def distribute_on_cpu(cfg: Config) -> None:
    """Run a distributed job without GPUs, which mmengine takes for granted."""
    part_of(part_of(cfg, 'env_cfg', {}), 'dist_cfg', {})['backend'] = 'gloo'
    cfg.model_wrapper_cfg = dict(
        type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False))
