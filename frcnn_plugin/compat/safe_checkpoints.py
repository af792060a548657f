"""Lets torch's weights-only loader read the checkpoints that mmengine writes.

Since torch 2.6 ``torch.load`` unpickles tensors and plain containers only, which no
checkpoint can use to run code. mmengine puts its own logging buffers beside the
weights, so resuming and testing end in ``UnpicklingError``. The types that these
consist of hold data and do nothing when they are built: they are allowed by name, and
the loader stays weights-only.
"""

import pickle

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

STATISTICS = ('min', 'max', 'current', 'mean')
DTYPES = ('float64', 'float32', 'int64', 'int32', 'uint32', 'uint8', 'bool')


def allow_ecosystem_types() -> None:
    """Add the harmless types of mmengine's checkpoints to torch's allow-list."""
    rebuild_array = np.zeros(0).__reduce__()[0]
    rebuild_scalar = np.float64(0).__reduce__()[0]
    dtypes = {type(np.dtype(name)) for name in DTYPES}
    torch.serialization.add_safe_globals([
        HistoryBuffer, np.ndarray, np.dtype, *dtypes,
        (_statistic_of_a_buffer, 'builtins.getattr'),
        # NumPy 1 and 2 know these two under different names
        *((function, f'numpy.{core}.multiarray.{name}') for core in ('core', '_core')
          for name, function in (('_reconstruct', rebuild_array),
                                 ('scalar', rebuild_scalar)))])


def _statistic_of_a_buffer(owner: object, name: str):
    """Stands in for ``getattr`` in a checkpoint.

    A buffer's pickle looks up its own four statistics by ``getattr``. The real one
    could be used to reach anything; this one finds these four and nothing else.
    """
    if owner is HistoryBuffer and name in STATISTICS:
        return getattr(HistoryBuffer, name)
    raise pickle.UnpicklingError(f'getattr of {owner!r} and {name!r} is not allowed')
