"""Config files: where they are, and what is wrong with one that cannot be read."""

import logging
from pathlib import Path
from textwrap import shorten

from mmengine.config import Config
from mmengine.logging import print_log

from ..errors import ConfigError, SettingError
from .parts import component_of, nested_dicts

OWN_CONFIGS = Path(__file__).resolve().parent.parent / 'configs'
STOCK_HOOKS = ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler',
               'checkpoint')
OLD = {'FasterRCNN': 'fast_training', 'RoIHead': 'reorder'}  # of earlier versions


def load_config(path: str, settings: dict | None = None,
                needs: tuple[str, ...] = ('model',)) -> Config:
    """Read a config file and change single settings.

    Args:
        path: The file, or the name of one of the package's own.
        settings: New values, by their dotted names.
        needs: Parts that it must have.

    Raises:
        ConfigError: If the file is missing, is incomplete or does not run, or has
            no place for the settings.
    """
    file = find_config(path)
    try:
        cfg = Config.fromfile(file)
    except Exception as error:  # a config is Python: anything may go wrong in it
        raise ConfigError(f'{path}: not a config that can be read '
                          f'({type(error).__name__}: {_one_line(error)})') from error
    change_settings(cfg, settings or {}, path)
    lacking = [name for name in needs if name not in cfg]
    if lacking:
        raise ConfigError(f'{path}: has no {", ".join(lacking)}; it is a part for '
                          'other configs, the whole ones are in configs/')
    for name in drop_old_settings(cfg):
        print_log(f'{path}: {name} is a setting of an older version and is left out; '
                  'default_hooks.accelerate does its work now',
                  logger='current', level=logging.WARNING)
    for name, hook in list((cfg.get('default_hooks') or {}).items()):
        if hook is None and name not in STOCK_HOOKS:
            del cfg.default_hooks[name]  # mmengine can leave out its own hooks only
    return cfg


def change_settings(cfg: Config, settings: dict, path: str) -> None:
    """Change single settings of the config of a file, by their dotted names.

    Raises:
        SettingError: If it has no place for them.
    """
    try:
        cfg.merge_from_dict(settings)
    except (TypeError, KeyError, ValueError, AttributeError, IndexError) as error:
        raise SettingError(f'{path}: the new settings do not fit it '
                           f'({_one_line(error)})') from error


def find_config(path: str) -> Path:
    """The config file of a path, or of the name of one of the package's own.

    Raises:
        ConfigError: If there is no such file.
    """
    if Path(path).is_file():
        return Path(path)
    own = OWN_CONFIGS / (path if path.endswith('.py') else f'{path}.py')
    if own.is_file() and not Path(path).is_absolute() and '..' not in Path(path).parts:
        return own
    raise ConfigError(f'{path}: no such config file; those that come with the package '
                      f'are in {OWN_CONFIGS.resolve()}')


def drop_old_settings(cfg: Config) -> list[str]:
    """Remove settings of older versions; returns their names (``RoIHead.reorder``).

    What these settings did for speed is done by ``default_hooks.accelerate`` now; a
    config that had ``fast_training=False`` is kept without that hook.
    """
    dropped = []
    for node in nested_dicts(cfg.get('model')):
        _, kind = component_of(node)
        if OLD.get(kind) not in node:
            continue
        dropped.append(f'{kind}.{OLD[kind]}')
        if not node.pop(OLD[kind]) and kind == 'FasterRCNN':
            cfg.default_hooks = {**(cfg.get('default_hooks') or {}), 'accelerate': None}
    return dropped


def _one_line(error: Exception) -> str:
    text = error.args[0] if isinstance(error, KeyError) else error
    return shorten(str(text), 120, placeholder=' ...')
