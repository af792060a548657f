"""Out-of-memory errors that name the settings to lower."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.config import Config

from ..config.parts import nested_dicts
from ..errors import UserError

CPU = ("can't allocate memory", 'not enough memory')  # as torch's allocator says it


@contextmanager
def explain_out_of_memory(cfg: Config, loader: str) -> Iterator[None]:
    """Report that the memory is full in one line.

    Args:
        cfg: The config that runs.
        loader: ``'train_dataloader'`` or another, whose batches are to become smaller.

    Raises:
        UserError: In place of torch's error.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise UserError(explain(cfg, loader)) from error
    except RuntimeError as error:
        if any(text in str(error) for text in CPU):
            raise UserError(explain(cfg, loader)) from error
        raise


def explain(cfg: Config, loader: str) -> str:
    """What could be lowered, with the values that it has now."""
    settings = {f'{loader}.batch_size': cfg[loader].get('batch_size')}
    if loader == 'train_dataloader':
        sampler = (cfg.model.get('roi_head') or {}).get('target_sampler') or {}
        settings['model.roi_head.target_sampler.num'] = sampler.get('num')
    scales = [node.get('scale') for node in nested_dicts(cfg[loader])
              if node.get('type') == 'Resize' and node.get('scale')]
    if scales:
        settings['the scale of Resize in the pipeline'] = scales[0]
    shown = ', '.join(f'{name} (now {value})' for name, value in settings.items()
                      if value)
    amp = ', or use --amp' if loader == 'train_dataloader' else ''
    return f'out of memory; lower one of {shown}{amp}'
