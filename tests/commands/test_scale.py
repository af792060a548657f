"""The tool of docs/scale.md: what is killed ends the same, what grows is measured."""

import re
import sys
from importlib import import_module

import pytest


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    def run(*words):
        monkeypatch.setattr(sys, 'argv', ['scale.py', *map(str, words), '--work-dir',
                                          str(tmp_path)])
        return import_module('scale').main(), capsys.readouterr().out
    return run


@pytest.mark.long
def test_kills(run):
    status, shown = run('kills', '--kills', 3, '--pictures', 600)
    assert status == 0 and re.search('[1-3] kills: the same bytes', shown)
    assert not re.search(r'\b(0|600) of 600', shown)


def test_detect(run, tmp_path):
    page = tmp_path / 'page.md'
    page.write_text('<!-- scale of detect -->\n<!-- end of scale of detect -->\n')
    status, _ = run('detect', '--numbers', 40, '--starts', 2, '--write', page)
    assert status == 0
    row = page.read_text().splitlines()[3].strip('| ').split(' | ')
    assert row[0] == '40' and all(float(cell.replace(',', '')) > 0 for cell in row[:4])
