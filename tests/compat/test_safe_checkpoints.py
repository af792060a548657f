import os
import pickle

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer


class Harmful:
    """Unpickling it makes a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.system, (f'touch {self.path}',)


def test_mmengines_buffers_load_weights_only(tmp_path):
    buffer = HistoryBuffer(log_history=np.array([1.5]), count_history=np.array([1]))
    buffer.update(np.float64(2.5))
    torch.save(dict(buffer=buffer, weight=torch.ones(2)), tmp_path / 'a.pth')
    loaded = torch.load(tmp_path / 'a.pth', weights_only=True)
    assert loaded['buffer'].mean() == 2.0


def test_code_is_still_refused(tmp_path):
    torch.save(dict(weight=Harmful(tmp_path / 'made')), tmp_path / 'a.pth')
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / 'a.pth', weights_only=True)
    assert not (tmp_path / 'made').exists()


def test_getattr_reaches_nothing_but_the_buffers_statistics(tmp_path):
    class Reach:
        def __reduce__(self):
            return getattr, (HistoryBuffer, '__init__')

    torch.save(dict(weight=Reach()), tmp_path / 'a.pth')
    with pytest.raises(pickle.UnpicklingError, match='not allowed'):
        torch.load(tmp_path / 'a.pth', weights_only=True)
