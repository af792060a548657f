"""What several commands share."""

import argparse
import shlex
import sys
from pathlib import Path

from mmengine.config import Config, DictAction

from ..config.changes import apply, set_classes, set_data_root, set_work_dir
from ..config.files import load_config
from ..config.parts import datasets_of
from ..errors import CheckpointError, UserError
from ..inference.carried_config import classes_of


def read_config(args: argparse.Namespace, needs: tuple[str, ...]) -> Config:
    """The config, with what all commands that read one may change.

    It must have some parts, and the arguments those of ``add_config_options``.
    """
    cfg = load_config(args.config, options_of(args), needs)
    folder = args.work_dir or cfg.get('work_dir') or str(
        Path('work_dirs') / Path(args.config).stem)
    apply(cfg, [(set_work_dir, folder), (set_data_root, args.data_root or None),
                (set_classes, args.classes)])
    return cfg


def check_order_of_classes(cfg: Config, loader: str, meta: dict, source: str) -> None:
    """Compare the classes of a checkpoint with those of the data.

    Raises:
        CheckpointError: If they are the same, in another order.
    """
    known = list(classes_of(meta) or ())
    for data in datasets_of(cfg, (loader,)):
        asked = list((data.get('metainfo') or {}).get('classes') or ())
        if asked != known and sorted(asked) == sorted(known):
            raise CheckpointError(f'{source}: its classes are {" ".join(known)}, in '
                                  f'this order; the config has {" ".join(asked)}')


def options_of(args: argparse.Namespace) -> dict[str, object]:
    """What ``--cfg-options`` says, by dotted name."""
    settings = argparse.Namespace(values={})
    try:
        DictAction([], 'values')(None, settings, args.cfg_options or [])
    except ValueError as error:  # it takes for granted that there is a "="
        raise UserError('--cfg-options takes KEY=VALUE, for example '
                        'optim_wrapper.optimizer.lr=0.01') from error
    return settings.values


def command_line(command: str, argv: list[str] | None) -> str:
    """A command as it was typed, from the arguments of its function."""
    return shlex.join(['frcnn', command, *(sys.argv[1:] if argv is None else argv)])
