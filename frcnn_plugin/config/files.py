"""Config files: where they are, and what is wrong with one that can not be read.

Comes in: a path or a name. Goes out: a whole config.
"""

from pathlib import Path
from textwrap import shorten

from mmengine.config import Config

from ..errors import UserError

OWN_CONFIGS = Path(__file__).resolve().parent.parent / 'configs'


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
    file = find_config(path)
    try:
        cfg = Config.fromfile(file)
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


def find_config(path: str) -> Path:
    """The config file that a path, or the name of one of the package's own, means.

    Raises:
        UserError: If there is none.
    """
    if Path(path).is_file():
        return Path(path)
    own = OWN_CONFIGS / (path if path.endswith('.py') else f'{path}.py')
    if own.is_file() and not Path(path).is_absolute() and '..' not in Path(path).parts:
        return own
    raise UserError(f'{path}: no such config file; those that come with the package '
                    f'are in {OWN_CONFIGS.resolve()}')


def _one_line(error: Exception) -> str:
    text = error.args[0] if isinstance(error, KeyError) else error
    return shorten(str(text), 120, placeholder=' ...')
