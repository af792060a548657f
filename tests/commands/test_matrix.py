"""``tools/matrix.py`` makes the right environments and a whole row for each."""

from pathlib import Path
from subprocess import CompletedProcess

import matrix
import pytest


@pytest.fixture
def commands(monkeypatch):
    """Those that were run, and what was installed in the environment of each."""
    run = []

    def pretend(*words, cwd=None):
        words = list(map(str, words))
        run.append(words)
        if 'train' in words:
            made = Path(cwd, 'work_dirs/frcnn_r18_c4_shapes')
            made.mkdir(parents=True)
            (made / 'iter_3.pth').touch()
        said = '3.12.1|2|0.2|1|3|2|1' if '-c' in words else '5 passed'
        return CompletedProcess(words, 0, said, '')

    monkeypatch.setattr(matrix, 'run', pretend)
    return run


def test_rows(commands, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path('page.md').write_text('<!-- versions -->\n<!-- end of versions -->\n')
    monkeypatch.setattr('sys.argv', [
        'matrix.py', '--pythons', '3.12.1', '3.14', '--compiled', 'mine', '--write',
        'page.md'])
    assert matrix.main() == 0
    rows = [line.split('|')[1:-1] for line in Path('page.md').read_text().splitlines()
            if line.startswith('| 3')]
    assert [[row[0].strip(), row[1].strip(), row[-1].strip()] for row in rows] == [
        ['3.12.1', 'oldest', 'three steps'], ['3.12.1', 'newest', 'three steps'],
        ['3.14', 'newest', ''], ['3.12.1', 'onedl', 'three steps'],
        ['3.12.1', 'compiled', 'three steps']]
    assert {len(row) for row in rows} == {len(matrix.HEAD)}
    assert all(Path(words[0]).is_absolute() for words in commands if 'train' in words)
    assert str(tmp_path / 'mine/bin/frcnn') in {words[0] for words in commands}
    replaced = [words for words in commands if 'uninstall' in words]
    assert len(replaced) == 1 and {*matrix.REPLACED} < {*replaced[0]}


def test_what_does_not_train_has_failed(commands, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('sys.argv', ['matrix.py', '--pythons', '3.12'])
    monkeypatch.setattr(matrix, 'tried', lambda kind, *rest: [
        *['x'] * 9, matrix.BAD if kind == 'oldest' else 'three steps'])
    assert matrix.main() == 1
    monkeypatch.setattr(matrix, 'tried', lambda kind, *rest: [
        'x', kind, *['x'] * 7, matrix.BAD if kind == 'onedl' else 'three steps'])
    assert matrix.main() == 0
    monkeypatch.setattr(matrix, 'tried', lambda *rest: [
        *['x'] * 8, '2 failed, 3 passed', 'three steps'])
    assert matrix.main() == 1
