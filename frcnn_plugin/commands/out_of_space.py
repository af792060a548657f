"""A disk or a memory that is full, in one line that says what would help."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from mmengine.config import Config

from ..accelerate.precision import has_mixed_precision
from ..config.parts import nested_dicts
from ..errors import UserError
from ..io.whole_files import FULL

CPU = ("can't allocate memory", 'not enough memory')  # as torch's allocator says it


@contextmanager
def explain_full_disk(work_dir: str, then: str = '') -> Iterator[None]:
    """Report a full disk, and what to do ``then``, when there is space.

    The logs in the work dir that do not fit are silent.
    """
    folder, handle = Path(work_dir).absolute(), logging.FileHandler.handleError

    def quietly(handler: logging.FileHandler, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if not (isinstance(error, OSError) and error.errno in FULL
                and folder in Path(handler.baseFilename).parents):
            handle(handler, record)

    # the handlers of a run are made by mmengine, when the run begins
    logging.FileHandler.handleError = quietly
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise UserError(f'{work_dir}: nothing more can be written ({error.strerror}); '
                        f'free some space{then}') from error
    finally:
        logging.FileHandler.handleError = handle


@contextmanager
def explain_out_of_memory(cfg: Config, loader: str, amp: bool = False
                          ) -> Iterator[None]:
    """Report that the memory is full, with what could be lowered and its value now.

    ``loader`` is the one whose batches are to become smaller: ``'train_dataloader'``.
    With ``amp`` the precision is mixed already, whatever the config says.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError | torch.OutOfMemoryError) and not any(
                text in str(error) for text in CPU):
            raise
        settings, advice = {f'{loader}.batch_size': cfg[loader].get('batch_size')}, ''
        if loader == 'train_dataloader':
            kind = cfg.optim_wrapper.get('type', '').rpartition('.')[2]
            if not amp and kind in ('', 'OptimWrapper') and has_mixed_precision(
                    'cuda' if torch.cuda.is_available() else 'cpu'):
                advice = ', or use --amp'
            sampler = (cfg.model.get('roi_head') or {}).get('target_sampler') or {}
            settings['model.roi_head.target_sampler.num'] = sampler.get('num')
        settings['the scale of Resize in the pipeline'] = next((
            node['scale'] for node in nested_dicts(cfg[loader])
            if node.get('type') == 'Resize' and node.get('scale')), None)
        shown = ', '.join(f'{name} (now {value})' for name, value in settings.items()
                          if value)
        raise UserError(f'out of memory; lower one of {shown}{advice}') from error
