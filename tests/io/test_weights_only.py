"""Checkpoints of mmengine load without code, and torch's own list stays as it is."""

import os
import pickle
import threading

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from frcnn_plugin.io.weights_only import load_weights_only, mmengine_types_allowed


class Harmful:
    """Unpickling it makes a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.system, (f'touch {self.path}',)


@pytest.fixture(autouse=True)
def allowed():
    """torch's list, which after each test is what it was before."""
    before = set(torch.serialization.get_safe_globals())
    yield before
    assert set(torch.serialization.get_safe_globals()) == before


@pytest.fixture
def checkpoint(tmp_path):
    """Weights and a buffer of a log, as mmengine stores them."""
    buffer = HistoryBuffer(log_history=np.array([1.5]), count_history=np.array([1]))
    buffer.update(np.float64(2.5))
    torch.save(dict(buffer=buffer, weight=torch.ones(2)), tmp_path / 'a.pth')
    return tmp_path / 'a.pth'


def test_mmengines_buffers_are_loaded(checkpoint):
    assert load_weights_only(checkpoint)['buffer'].mean() == 2.0


def test_a_plain_torch_load_refuses_them_before_and_after(checkpoint):
    for _ in range(2):
        with pytest.raises(pickle.UnpicklingError, match='HistoryBuffer'):
            torch.load(checkpoint)
        load_weights_only(checkpoint)


def test_what_the_program_allows_itself_stays_allowed(checkpoint, allowed):
    with torch.serialization.safe_globals([HistoryBuffer]):
        load_weights_only(checkpoint)
        assert set(torch.serialization.get_safe_globals()) == {*allowed, HistoryBuffer}


def test_the_list_is_restored_after_an_error(tmp_path):
    (tmp_path / 'a.pth').write_bytes(b'PK')
    with pytest.raises((RuntimeError, EOFError, pickle.UnpicklingError)):
        load_weights_only(tmp_path / 'a.pth')


def test_a_thread_loads_after_another_one_has_ended(checkpoint):
    go_on, found = threading.Event(), []

    def load():
        with mmengine_types_allowed():
            go_on.wait(10)
            found.append(torch.load(checkpoint))

    other = threading.Thread(target=load)
    with mmengine_types_allowed():
        other.start()
        other.join(timeout=0.2)  # without a lock it is inside its block by now
        torch.load(checkpoint)
    go_on.set()
    other.join()
    assert found[0]['buffer'].mean() == 2.0


def test_code_is_refused(tmp_path):
    torch.save(dict(weight=Harmful(tmp_path / 'made')), tmp_path / 'a.pth')
    with pytest.raises(pickle.UnpicklingError):
        load_weights_only(tmp_path / 'a.pth')
    assert not (tmp_path / 'made').exists()


def test_getattr_reaches_nothing_but_the_buffers_statistics(tmp_path):
    class Reach:
        def __reduce__(self):
            return getattr, (HistoryBuffer, '__init__')

    torch.save(dict(weight=Reach()), tmp_path / 'a.pth')
    with pytest.raises(pickle.UnpicklingError, match='not allowed'):
        load_weights_only(tmp_path / 'a.pth')
