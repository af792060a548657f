"""Lets torch's weights-only loader read the checkpoints that mmengine writes.

Since torch 2.6 ``torch.load`` unpickles tensors and plain containers only, which no
checkpoint can use to run code. mmengine puts its own logging buffers, which hold NumPy
arrays, beside the weights, so resuming and testing end in ``UnpicklingError``. These
few types hold data and do nothing when they are built: they are allowed by name, and
the loader stays weights-only.
"""

import numpy as np
import torch
from mmengine.logging import HistoryBuffer


def allow_ecosystem_types() -> None:
    """Add the harmless types of mmengine's checkpoints to torch's allow-list."""
    rebuild_array = np.zeros(0).__reduce__()[0]
    rebuild_scalar = np.float64(0).__reduce__()[0]
    dtypes = {type(np.dtype(name)) for name in
              ('float64', 'float32', 'int64', 'int32', 'uint32', 'uint8', 'bool')}
    torch.serialization.add_safe_globals([
        HistoryBuffer, np.ndarray, np.dtype, rebuild_array, rebuild_scalar,
        *dtypes])
