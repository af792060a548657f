"""Pretrained weights and checkpoints: there before anything long starts."""

from mmengine.config import Config

from ..backbones.pretrained import read_weights
from ..config.initialisation import (
    drop_pretrained,
    is_from_scratch,
    pretrained_sources,
    train_from_scratch,
)
from ..errors import WeightsUnreachableError
from ..io.checkpoints import read_checkpoint
from .common import print_on_master


def check_weights(cfg: Config, trial: bool = False) -> None:
    """Make sure that a new run gets the weights that it starts from.

    Args:
        cfg: The config.
        trial: Whether the run is a short trial. A trial trains from scratch where
            pretrained weights cannot be downloaded, and says so; a real run stops.

    Raises:
        UserError: If they are missing or not a checkpoint.
    """
    source = cfg.get('load_from')
    if source and '://' not in source:
        read_checkpoint(source)
    elif source and is_read_here(source):
        read_weights(source)
    for source in filter(is_read_here, pretrained_sources(cfg)):
        try:
            read_weights(source)
        except WeightsUnreachableError as error:
            if not trial:
                raise
            print_on_master(f'ERROR: {error}. This is a trial run (--max-iters), so it '
                            'trains from scratch')
            train_from_scratch(cfg)
            return


def is_read_here(source: str) -> bool:
    """Whether it is a path or URL, and none of mmengine's own schemes."""
    scheme, found, _ = source.partition('://')
    return not found or scheme in ('torchvision', 'http', 'https')


def take_weights_of_run(cfg: Config, meta: dict) -> None:
    """Continue a run: its weights come from its checkpoint, nothing else is needed.

    Args:
        cfg: The config.
        meta: The checkpoint's ``meta``; a run from scratch is continued as one.

    Raises:
        UserError: If alternating training lacks its pretrained weights.
    """
    if is_from_scratch(str(meta.get('cfg', ''))):
        train_from_scratch(cfg)
    if 'steps' in cfg.train_cfg:  # alternating training starts from them twice
        for source in filter(is_read_here, pretrained_sources(cfg)):
            read_weights(source)
    else:
        drop_pretrained(cfg)
