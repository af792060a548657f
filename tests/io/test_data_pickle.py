import os
import pickle

import mmengine
import numpy as np
import pytest
from mmengine.structures import BaseDataElement, InstanceData

from frcnn_plugin.errors import UserError
from frcnn_plugin.io.data_pickle import read_data_pickle


class Evil:
    """Makes a file when it is unpickled."""

    def __init__(self, path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'a.pkl'


def arrays() -> dict[str, np.ndarray]:
    return dict(
        floats=np.arange(8, dtype=np.float32).reshape(2, 4),
        fortran=np.asfortranarray(np.arange(6.).reshape(2, 3)),
        big_endian=np.arange(3, dtype='>i4'), bools=np.array([True, False]),
        nothing=np.zeros((0, 4), np.float32), number=np.float64(2.5))


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_comes_back(path, protocol):
    plain = dict(a=[1, 2.5, None, True, 'x'], b=(1, {2}), **arrays())
    path.write_bytes(pickle.dumps(plain, protocol))
    found = read_data_pickle(path)
    assert found['a'] == plain['a'] and found['b'] == plain['b']
    for name, array in arrays().items():
        assert np.array_equal(found[name], array)
        assert found[name].dtype.str[1:] == array.dtype.str[1:]


def test_arrays_of_numpy_1(path):
    data = pickle.dumps(arrays(), 2)
    assert (b'numpy._core.' in data) == (int(np.__version__[0]) > 1)
    path.write_bytes(data.replace(b'numpy._core.', b'numpy.core.'))
    assert np.array_equal(read_data_pickle(path)['floats'], arrays()['floats'])


def test_data_elements_of_mmengine_come_back_as_dicts(path):
    mmengine.dump(dict(a=InstanceData(metainfo=dict(id=1), bboxes=np.eye(4)),
                       b=BaseDataElement(score=1.0)), str(path))
    found = read_data_pickle(path)
    assert set(found['a']) == {'bboxes'} and found['b'] == dict(score=1.0)
    assert np.array_equal(found['a']['bboxes'], np.eye(4))


@pytest.mark.parametrize('wrap', [
    lambda evil: evil, lambda evil: dict(a=[evil]),
    lambda evil: np.array([evil], dtype=object), lambda evil: InstanceData(a=[evil])])
@pytest.mark.parametrize('protocol', [2, 4, 5])
def test_code_is_refused_and_not_run(path, tmp_path, wrap, protocol):
    path.write_bytes(pickle.dumps(wrap(Evil(tmp_path / 'made')), protocol))
    with pytest.raises(UserError, match=r'a\.pkl: refused.*run code') as caught:
        read_data_pickle(path)
    assert '\n' not in str(caught.value)
    assert not (tmp_path / 'made').exists()


def test_the_test_above_would_see_code_run(path, tmp_path):
    pickle.loads(pickle.dumps(Evil(tmp_path / 'made')))
    assert (tmp_path / 'made').exists()


@pytest.mark.parametrize('content', [
    np.array([None, 'x'], dtype=object), np.zeros(2, dtype=[('a', 'f4')]),
    np.array(['x']), print, np.dtype])
def test_what_is_no_number_is_refused(path, content):
    path.write_bytes(pickle.dumps(content))
    if content is np.dtype:  # a name alone does nothing
        assert read_data_pickle(path) is not np.dtype
        return
    with pytest.raises(UserError, match='refused'):
        read_data_pickle(path)


def test_no_class_can_be_changed(path):
    before = set(vars(InstanceData))
    path.write_bytes(b'cmmengine.structures.instance_data\nInstanceData\n'
                     b"(N}S'evil'\nI1\nstb.")  # the opcode that sets attributes
    with pytest.raises(UserError, match='damaged'):
        read_data_pickle(path)
    assert set(vars(InstanceData)) == before


@pytest.mark.parametrize('content', [
    b'', b'hello world', b'\x80\x04', pickle.dumps(np.arange(100))[:-50],
    pickle.dumps(arrays()['floats'], 4).replace(b'K\x02K\x04', b'K\x7fK\x04')])
def test_a_damaged_file(path, content):
    path.write_bytes(content)
    with pytest.raises(UserError, match=r'a\.pkl: damaged') as caught:
        read_data_pickle(path)
    assert '\n' not in str(caught.value)


def test_a_missing_file(path):
    with pytest.raises(UserError, match=r'a\.pkl: no such file'):
        read_data_pickle(path)
