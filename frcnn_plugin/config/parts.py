"""The parts of a config, wherever they stand in it.

Comes in: a config. Goes out: its parts, or the same config, changed in place.
"""

from collections.abc import Iterator
from pathlib import Path

from mmengine.config import Config

from ..errors import UserError

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


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
    """Point every dataset of the config to a folder, and metrics with them."""
    old = {dataset['data_root'] for dataset in datasets_of(cfg)} - {None, ''}
    for dataset in datasets_of(cfg):
        dataset['data_root'] = data_root
    for name in ('val_evaluator', 'test_evaluator'):
        for node in nested_dicts(cfg.get(name) or {}):
            path = Path(node.get('ann_file') or '.')
            root = next((each for each in old if path.is_relative_to(each)), None)
            if node.get('ann_file') and root:
                node['ann_file'] = str(Path(data_root) / path.relative_to(root))


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


def is_pretrained(part: dict) -> bool:
    """Whether a part of the model starts from pretrained weights."""
    init_cfg = part.get('init_cfg')
    return isinstance(init_cfg, dict) and init_cfg.get('type') == 'Pretrained'
