"""The parts of a config, wherever they stand in it."""

from collections.abc import Iterator
from typing import Any

from mmengine.config import Config

SCOPE = 'frcnn_plugin'
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def nested_dicts(node: object) -> Iterator[dict]:
    """Every dict inside a config, the outer ones first."""
    if isinstance(node, dict):
        yield node
        for value in list(node.values()):
            yield from nested_dicts(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from nested_dicts(value)


def datasets_of(cfg: Config, loaders: tuple[str, ...] = LOADERS) -> Iterator[dict]:
    """The config of every dataset with a ``data_root``, wrapped ones too."""
    for loader in loaders:
        for node in nested_dicts((cfg.get(loader) or {}).get('dataset', {})):
            if 'data_root' in node:
                yield node


def part_of(cfg: dict | Config, name: str, default: dict) -> Any:
    """A part, made if the config lacks it; mmengine's ``setdefault`` gives a copy."""
    if name not in cfg:
        cfg[name] = default
    return cfg[name]


def is_pretrained(part: dict) -> bool:
    """Whether a part of the model starts from pretrained weights."""
    init_cfg = part.get('init_cfg')
    return isinstance(init_cfg, dict) and init_cfg.get('type') == 'Pretrained'


def component_of(node: dict, scope: str | None = None) -> tuple[str, str]:
    """The package and the component that a part asks for: ``('mmdet', 'RPNHead')``.

    Its ``type`` is a name, a name with its scope or its module, or a class; without one
    the name is empty. A name without scope is looked for in a given one, or in ours.
    """
    kind = node.get('type') or ''
    name = kind if isinstance(kind, str) else (
        f'{getattr(kind, "__module__", "")}.{getattr(kind, "__name__", kind)}')
    package, dot, _ = name.partition('.')
    return (package if dot else node.get('_scope_') or scope or SCOPE,
            name.rpartition('.')[2])
