"""What the commands that read a config share."""

import argparse
import os
from pathlib import Path

from mmengine.config import Config, DictAction

from ..config.changes import Change, set_classes, set_data_root, set_work_dir
from ..config.files import load_config
from ..errors import UserError

RANKS = ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK')


def read_config(args: argparse.Namespace, needs: tuple[str, ...]) -> Config:
    """The config with the single settings of the command line.

    Args:
        args: With ``config`` and ``cfg_options``.
        needs: Parts that the config must have.

    Raises:
        UserError: If it cannot be read or the settings do not fit.
    """
    settings = argparse.Namespace(values=None)
    try:
        DictAction([], 'values')(None, settings, args.cfg_options or [])
    except ValueError as error:  # it takes for granted that there is a "="
        raise UserError('--cfg-options takes KEY=VALUE, for example '
                        'optim_wrapper.optimizer.lr=0.01') from error
    return load_config(args.config, settings.values, needs)


def common_changes(cfg: Config, args: argparse.Namespace) -> list[Change]:
    """What all of them may change, before anything else."""
    folder = args.work_dir or cfg.get('work_dir') or str(
        Path('work_dirs') / Path(args.config).stem)
    return [(set_work_dir, folder), (set_data_root, args.data_root or None),
            (set_classes, args.classes)]


def print_on_master(message: str) -> None:
    """Print in the first process of a job, which need not have joined its group."""
    if all(os.environ.get(name, '0') == '0' for name in RANKS):
        print(message, flush=True)
