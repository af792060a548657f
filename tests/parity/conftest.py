"""Comparisons that say by how much two code bases differ."""

import pytest
import torch


@pytest.fixture
def compare(record_property):
    """Asserts that two tensors agree, prints and records by how much.

    ``atol`` is in the units of the tensors; ``rtol`` is a share of the largest expected
    value, for tensors whose small values are sums of large ones.
    """

    def check(what: str, found, expected, *, atol: float | None = None,
              rtol: float | None = None) -> None:
        found, expected = torch.as_tensor(found), torch.as_tensor(expected)
        assert found.shape == expected.shape, what
        difference = 0.0
        if found.numel():
            difference = (found.double() - expected.double()).abs().max().item()
            if rtol is not None:
                difference /= max(expected.double().abs().max().item(), 1e-12)
        limit = atol if rtol is None else rtol
        unit = '' if rtol is None else ', relative'
        record_property(what, f'{difference:.1e} of {limit:g}{unit}')
        print(f'{what}: {difference:.1e}, at most {limit:g}{unit}')
        assert difference <= limit, what

    return check
