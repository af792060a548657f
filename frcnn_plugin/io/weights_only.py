"""Loads what ``torch.save`` wrote; no code in it is ever run.

``torch.load`` with ``weights_only=True`` builds tensors and plain containers, which no
file can use to run code. mmengine's checkpoints hold the buffers of its log beside the
weights, and torch refuses these. The types that they consist of hold data and do
nothing when they are built, so they are allowed by name, as long as a file is loaded.
"""

import os
import pickle
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

LOCK = threading.RLock()  # torch has one list of allowed types for all threads


def load_weights_only(path: str | os.PathLike,
                      map_location: str | torch.device | None = None) -> dict:
    """The content of a file of ``torch.save``.

    Raises:
        UnpicklingError: If it holds more than tensors, plain data and mmengine's log.
    """
    with mmengine_types_allowed():
        return torch.load(path, map_location=map_location, weights_only=True)


@contextmanager
def mmengine_types_allowed() -> Iterator[None]:
    """Let ``torch.load`` read mmengine's checkpoints weights-only inside a block."""
    with LOCK:
        allowed = torch.serialization.get_safe_globals()  # by others: they stay so
        with torch.serialization.safe_globals(
                [kind for kind in MMENGINE_TYPES if kind not in allowed]):
            yield


def _statistic_of_a_buffer(owner: object, name: str) -> object:
    """Stands in for ``getattr``, which could be used to reach anything.

    A buffer's pickle looks up its own four statistics by ``getattr``.
    """
    if owner is HistoryBuffer and name in ('min', 'max', 'current', 'mean'):
        return getattr(HistoryBuffer, name)
    raise pickle.UnpicklingError(f'getattr of {owner!r} and {name!r} is not allowed')


# what a HistoryBuffer is pickled as, in the form of torch's list
MMENGINE_TYPES = [
    HistoryBuffer, np.ndarray, np.dtype,
    *{type(np.dtype(name)) for name in (
        'float64', 'float32', 'int64', 'int32', 'uint32', 'uint8', 'bool')},
    (_statistic_of_a_buffer, 'builtins.getattr'),
    # NumPy 1 and 2 know the functions that rebuild arrays and scalars by other names
    *((value.__reduce__()[0], f'numpy.{core}.multiarray.{name}')
      for core in ('core', '_core')
      for name, value in (('_reconstruct', np.zeros(0)), ('scalar', np.float64(0))))]
