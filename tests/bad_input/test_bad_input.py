"""Every kind of bad input ends in one line, never in a traceback.

The table of docs/reliability.md is made of these: ``pytest tests/bad_input
--write-docs``.
"""

import re
import sys

import pytest
from bad_input import (  # noqa: F401
    of_checkpoints,
    of_coco,
    of_data,
    of_folders,
    of_pictures,
    of_settings,
)
from bad_input.kinds import COMMANDS, KINDS, NAMES, Site
from markdown_table import table_text, write_table

from frcnn_plugin.commands.frcnn import exit_with_one_line
from frcnn_plugin.commands.train import train

ENOUGH = 30
HEAD = ['given', 'to', 'what happens', 'status']
ROWS: dict[tuple[str, str], list[str]] = {}


@pytest.fixture(scope='session')
def checkpoint(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp('trained'))
    train(site.train())
    return site.work / 'iter_1.pth'


@pytest.mark.parametrize('kind', KINDS, ids=lambda kind: kind.given)
def test_one_line_and_the_status(kind, tmp_path, checkpoint, repo, capfd, monkeypatch,
                                 fresh_process):
    site = Site(tmp_path, checkpoint)
    arguments = kind.prepare(site)
    capfd.readouterr()
    for name in ('RANK', 'LOCAL_RANK'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr('frcnn_plugin.accelerate.precision.has_bfloat16', lambda: False)
    monkeypatch.setattr(sys, 'argv', [kind.command, *arguments])
    for name, value in dict(site.environment, COLUMNS='160').items():
        monkeypatch.setenv(name, value)
    status = 0
    try:  # as `frcnn` does
        exit_with_one_line(lambda: result if isinstance(
            result := COMMANDS[kind.command](), int) else 0)
    except SystemExit as end:
        status = end.code or 0
    captured = capfd.readouterr()
    said = next((line for line in f'{captured.err}\n{captured.out}'.splitlines()
                 if re.search(kind.says, line)), None)
    assert said, captured
    assert status == kind.status
    assert 'Traceback' not in captured.err + captured.out
    assert not site.created.exists(), 'code was run'
    if status and kind.command != 'check-dataset' and not said.startswith('warning'):
        assert captured.err.strip().splitlines()[-1] == said
    row = [kind.given, f'`{kind.command}`', plain(said, site, repo), str(status)]
    ROWS[kind.given, kind.command] = row


def plain(line: str, site: Site, repo) -> str:
    """A line without what differs from run to run."""
    line = re.sub(r'^.*? - mmengine - \w+ - ', '', line)
    for path, name in ((site.checkpoint.parent, 'trained'), (site.folder, ''),
                       (repo, '')):
        for begin in (f'{path}/', f'{path}/'[1:]):  # in a list, too
            line = line.replace(begin, f'{name}/' if name else '')
    line = re.sub(r'\b0x[0-9a-f]{6,}', '0x...', line)
    line = re.sub(r'plain values \(line \d+\)', 'plain values (line 99)', line)
    line = re.sub(r'takes [\d.]+ s here; give it \d+', 'takes 1.0 s here; give it 2',
                  line)
    return ' '.join(re.sub('[│|]', ' ', line).split()).replace('<', '&lt;')


def test_the_table_is_that_of_the_document(repo, request):
    if len(ROWS) < len(KINDS):
        pytest.skip('some kinds were not run')
    assert len(ROWS) == len(KINDS) >= ENOUGH
    document, rows = repo / 'docs/reliability.md', list(ROWS.values())
    if request.config.getoption('--write-docs'):
        write_table(document, 'bad input', HEAD, rows)
    assert table_text(HEAD, rows) in document.read_text(), (
        'pytest tests/bad_input --write-docs brings docs/reliability.md up to date')


def test_a_good_data_set_ends_well(tmp_path, checkpoint, fresh_process):
    site = Site(tmp_path, checkpoint)
    assert len(NAMES) == 4
    train(site.train())
    COMMANDS['test'](site.test(checkpoint))
    assert COMMANDS['check-dataset']([str(site.root)]) == 0
