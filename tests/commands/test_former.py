"""Former names work, say what to use, and are listed in docs/deprecations.md."""

import argparse
import re

import pytest
from labelled import picture, xml

from frcnn_plugin.commands.arguments.data import prepare as add_options
from frcnn_plugin.commands.former import FORMER, REMOVED_IN
from frcnn_plugin.commands.prepare import prepare
from frcnn_plugin.commands.prepare_voc import prepare_voc


@pytest.mark.parametrize(('command', 'words', 'says'), [
    (prepare, ['in'], []), (prepare_voc, ['in'], ['prepare-voc']),
    (prepare, ['--from-folder', 'in'], ['--from-folder']),
    (prepare_voc, ['--from-yolo', 'in'], ['prepare-voc', '--from-yolo'])])
def test_a_warning(tmp_path, monkeypatch, capsys, command, words, says):
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / 'in/a.jpg')
    xml(tmp_path / 'in/a.xml')
    command([*words, '--dry-run'])
    assert re.findall('^warning: (.*) is deprecated', capsys.readouterr().err,
                      re.M) == says


def test_the_page_lists_them_all(repo):
    text = (repo / 'docs/deprecations.md').read_text()
    rows = re.findall(r'^\| `frcnn (.*?)` \|.*\| (.*) \|$', text, re.M)
    assert {row.removeprefix('prepare ').split()[0] for row, _ in rows} == set(FORMER)
    assert {version for _, version in rows} == {REMOVED_IN}
    parser = argparse.ArgumentParser()
    add_options(parser)
    hidden = {name for action in parser._actions if action.help == argparse.SUPPRESS
              for name in action.option_strings}
    assert hidden == {name for name in FORMER if name.startswith('--')}
