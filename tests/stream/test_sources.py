"""What a word stands for, in which order, and how it is divided."""

import os
import sys

import pytest

from frcnn_plugin.errors import UserError
from frcnn_plugin.stream import batches, sources

NAMES = ('a.jpg', 'b/a.jpg', 'b/c/d.PNG', 'b.jpg', 'c.jpg', 'film.mp4', 'z.webp')


@pytest.fixture
def root(tmp_path):
    root = tmp_path / 'pictures'
    for name in (*NAMES, 'b/notes.txt'):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text('')
    (root / 'gone.jpg').symlink_to('nowhere.jpg')
    (root / 'linked.jpg').symlink_to(root / 'a.jpg')
    return root


def names(text, **options):
    return [source.name for source in sources(str(text), **options)]


def test_a_folder_in_the_order_of_names(root):
    expected = [file.relative_to(root).as_posix() for file in sorted(root.rglob('*'))
                if file.is_file() and file.suffix != '.txt']
    assert names(root) == expected
    assert set(expected) == {*NAMES, 'linked.jpg'}
    assert [source.path for source in sources(str(root))] == [
        root / name for name in expected]


def test_a_large_folder_is_not_sorted_but_whole(root, monkeypatch):
    monkeypatch.setattr(sys.modules['frcnn_plugin.stream.sources'], 'FEW', 2)
    assert sorted(names(root)) == sorted([*NAMES, 'linked.jpg'])
    assert names(root) == names(root)
    assert sorted(names(f'{root}/*.jpg')) == ['a.jpg', 'b.jpg', 'c.jpg', 'linked.jpg']


def test_patterns(root, monkeypatch):
    assert names(f'{root}/*.jpg') == ['a.jpg', 'b.jpg', 'c.jpg', 'linked.jpg']
    assert names(f'{root}/**/a.jpg') == ['a.jpg', 'b/a.jpg']
    assert names(f'{root}/?/*.jpg') == ['b/a.jpg']
    assert names(root / 'b/a.jpg') == ['a.jpg']
    monkeypatch.chdir(root)
    assert names('*.webp') == ['z.webp']
    assert names('b/a.jpg') == ['a.jpg']


def test_results_are_no_input(root, monkeypatch):
    assert 'b/a.jpg' not in names(root, besides=root / 'b')
    assert names(f'{root}/**/a.jpg', besides=root / 'b') == ['a.jpg']
    assert names(root / 'b', besides=root) == ['a.jpg', 'c/d.PNG']
    assert len(names(root, besides=root)) == len(names(root))
    monkeypatch.chdir(root)
    assert names('**/*.jpg', besides=root / 'b') == [
        'a.jpg', 'b.jpg', 'c.jpg', 'linked.jpg']


def test_a_list(root, tmp_path, monkeypatch):
    monkeypatch.chdir(root)
    listed = tmp_path / 'list.txt'
    listed.write_text(f'b/a.jpg\n\n{root}/a.jpg\r\nmissing.jpg\n../pictures/b.jpg\n')
    below = root.relative_to('/').as_posix()
    assert names(f'@{listed}') == ['b/a.jpg', f'{below}/a.jpg', 'missing.jpg',
                                   f'{below}/b.jpg']
    with listed.open() as given:
        monkeypatch.setattr(sys, 'stdin', given)
        assert names('-')[0] == 'b/a.jpg'
    with pytest.raises(UserError, match='a list of files was expected'):
        names(f'@{tmp_path}/none.txt')


def test_a_folder_that_may_not_be_read_is_left_out(root, monkeypatch):
    scan = os.scandir

    def scandir(folder):
        if folder.endswith('/b'):
            raise PermissionError(13, 'Permission denied', folder)
        return scan(folder)
    monkeypatch.setattr(os, 'scandir', scandir)
    assert names(root) == ['a.jpg', 'b.jpg', 'c.jpg', 'film.mp4', 'linked.jpg',
                           'z.webp']


@pytest.mark.parametrize(('name', 'says'), [
    ('none.jpg', 'none.jpg: no such image, folder or video'),
    ('*.gif', 'no such image, folder or video'),
    ('b/notes.txt', 'no image or video in it')])
def test_nothing(root, name, says):
    with pytest.raises(UserError, match=says):
        sources(str(root / name))


def test_batches(root):
    found = [[source.name for source in batch]
             for batch in batches(sources(str(root)), 2)]
    assert found == [['a.jpg', 'b/a.jpg'], ['b/c/d.PNG', 'b.jpg'], ['c.jpg'],
                     ['film.mp4'], ['linked.jpg', 'z.webp']]


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig'])
def test_lists_as_editors_write_them(root, tmp_path, encoding):
    file = tmp_path / 'list.txt'
    file.write_text(f'{root}/a.jpg\n{root}/b.jpg\n', encoding)
    assert [source.path.name for source in sources(f'@{file}')] == ['a.jpg', 'b.jpg']
    file.write_text(f'{root}/a.jpg\n', 'utf-16')
    with pytest.raises(UserError, match='is not encoded in UTF-8'):
        names(f'@{file}')


def test_a_name_that_begins_with_a_tilde(root, monkeypatch):
    (root / '~tmp.jpg').touch()
    monkeypatch.chdir(root)
    assert names('~tmp.jpg') == ['~tmp.jpg']
    with pytest.raises(UserError, match=r'~none\.jpg: no such image'):
        names('~none.jpg')
