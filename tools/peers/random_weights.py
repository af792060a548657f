"""Random weights that are the same on every machine and in every code base.

``RandomState`` is NumPy's generator whose numbers never change from version to version.
"""

import re
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

LAST_NORM = r'(bn3|conv3\.norm)\.weight$'  # of a residual block, which would grow


def random_state(shapes: dict[str, list[int]],
                 gains: dict[str, float] | None = None,
                 biases: dict[str, list] | None = None) -> dict[str, Tensor]:
    """A state dict of given names and shapes.

    Args:
        shapes: By name.
        gains: By name, what a weight is multiplied with.
        biases: By name, what stands in place of a random one.
    """
    state = {name: torch.from_numpy(_tensor(name, tuple(shape))) * (gains or {}).get(
        name, 1) for name, shape in shapes.items()}
    return {**state, **{name: torch.tensor(value)
                        for name, value in (biases or {}).items()}}


def _tensor(name: str, shape: tuple[int, ...]) -> np.ndarray:
    random = np.random.RandomState(crc32(name.encode()))
    if not shape:
        return np.zeros((), dtype=np.int64)  # the count of batches
    if len(shape) > 1:
        std = (2 / np.prod(shape[1:]))**0.5
        return (random.standard_normal(shape) * std).astype(np.float32)
    if name.endswith('weight'):
        value = 0.3 if re.search(LAST_NORM, name) else 1.0
        return np.full(shape, value, dtype=np.float32)
    if name.endswith('running_var'):
        return np.ones(shape, dtype=np.float32)
    return (random.standard_normal(shape) * 0.1).astype(np.float32)


def random_images(size: tuple[int, int]) -> Tensor:
    """(1, 3, H, W) pixels as a network takes them."""
    return torch.from_numpy(np.random.RandomState(0).standard_normal(
        (1, 3, *size)).astype(np.float32))
