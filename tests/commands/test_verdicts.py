"""Tools that compare tell a difference."""

import re

import pytest
import torch
from kill_and_resume import equal
from labelled import picture, xml
from wild_reading import displaced

from frcnn_plugin.commands.prepare import prepare


@pytest.mark.parametrize('other', [
    dict(a=[torch.ones(2), 2]), dict(a=[torch.zeros(2), 1]), dict(a=[]), {}])
def test_runs_that_differ(other):
    expected = dict(a=[torch.ones(2), 1])
    assert equal(dict(a=[torch.ones(2), 1]), expected) and not equal(other, expected)


def test_a_box_that_is_annotated_nowhere(tmp_path):
    source, out = tmp_path / 'in', tmp_path / 'out'
    picture(source / 'a.jpg')
    xml(source / 'a.xml')
    prepare([str(source), '-o', str(out)])
    assert displaced(source, out) == (0, 1)
    file, = (out / 'Annotations').rglob('*.xml')
    file.write_text(re.sub('<xmin>[^<]*', '<xmin>14', file.read_text()))
    assert displaced(source, out) == (1, 1)
