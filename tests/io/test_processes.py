"""Many items on all cores are as few on one."""

import os

import pytest

from frcnn_plugin.datasets import VOCFolder
from frcnn_plugin.errors import DataError
from frcnn_plugin.io import processes
from frcnn_plugin.io.processes import in_processes


def where(number):
    if number == 700:
        raise DataError('700: wrong')
    return number, os.getpid()


@pytest.fixture
def cores(monkeypatch):
    monkeypatch.setattr(os, 'sched_getaffinity', lambda _: {0, 1}, raising=False)


def test_in_order_and_elsewhere(cores):
    few = list(in_processes(where, range(10)))
    assert few == [(number, os.getpid()) for number in range(10)]
    many = list(in_processes(where, range(600), many=500))
    assert [number for number, _ in many] == list(range(600))
    assert os.getpid() not in {process for _, process in many}


def test_an_error_comes_in_the_place_of_its_chunk(cores):
    found = []
    with pytest.raises(DataError, match='700: wrong'):
        found += (number for number, _ in in_processes(where, range(1000), many=500))
    assert found == list(range(5 * processes.CHUNK))


def test_a_data_set_is_the_same(cores, shapes_root, monkeypatch):
    one, two = (VOCFolder(str(shapes_root), split='train', metainfo=dict(
        classes=('circle', 'square', 'triangle', 'star'))) for many in (100, 2)
        if monkeypatch.setattr(processes.in_processes, '__defaults__', (many,)) is None)
    assert [one.get_data_info(place) for place in range(len(one))] == [
        two.get_data_info(place) for place in range(len(two))]
