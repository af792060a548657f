import json
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from helpers import needs_contrib

from frcnn_plugin.commands import make_proposals as command
from frcnn_plugin.commands.make_proposals import make_proposals
from frcnn_plugin.datasets import VOCFolder
from frcnn_plugin.datasets.proposals import read_proposals
from frcnn_plugin.errors import DataError, UserError
from frcnn_plugin.prepare import proposal_parts
from frcnn_plugin.prepare.shapes import CLASSES

SPLITS = dict(val=4, test=6)


@pytest.fixture
def root(shapes_root, tmp_path):
    """A copy that a test may damage."""
    return shutil.copytree(shapes_root, tmp_path / 'shapes')


@pytest.fixture
def out(tmp_path):
    return tmp_path / 'new' / 'p.npz'


@pytest.fixture
def searched(monkeypatch):
    """The images that are searched, which is quick here; some may be made to fail."""
    names, failing = [], set()

    def search(image_bgr, num, quality, max_side):
        if len(names) in failing:
            raise KeyboardInterrupt
        names.append(image_bgr.mean())
        return np.float32([[0, 0, 5, 5]]), np.float32([image_bgr.mean()])

    monkeypatch.setattr(proposal_parts, 'selective_search', search)
    monkeypatch.setattr(command, 'require_contrib', lambda: None)
    search.names, search.failing = names, failing
    return search


def arguments(root, out, *extra: str) -> list[str]:
    return ['--data-root', str(root), '--split', 'val', 'test', '--out', str(out),
            '--workers', '1', *extra]


def parts_of(out):
    return out.with_name('p.npz.parts')


@needs_contrib
def test_two_workers_name_a_bad_image_keep_the_rest_and_write_the_same_as_one(
        root, out):
    """The rest is searched by one: the file does not show who searched what."""
    image = root / 'JPEGImages/test_00005.jpg'
    content = image.read_bytes()
    image.write_bytes(b'no image')
    with pytest.raises(DataError, match=r'test_00005\.jpg: not a readable image'):
        make_proposals(arguments(root, out, '--num', '30', '--workers', '2'))
    assert len(list(parts_of(out).glob('*.npz'))) >= 8
    settings = json.loads((parts_of(out) / 'settings.json').read_text())
    assert settings['num'] == 30 and settings['folders'] == [str(root.resolve())]
    image.write_bytes(content)
    make_proposals(arguments(root, out, '--num', '30'))
    other = out.with_name('q.npz')
    make_proposals(arguments(root, other, '--num', '30'))
    assert out.read_bytes() == other.read_bytes()
    assert sorted(path.name for path in out.parent.iterdir()) == ['p.npz', 'q.npz']
    content = read_proposals(out)
    assert len(content) == 10
    for entry in content.values():
        assert set(entry) == {'bboxes', 'scores'}
        assert entry['bboxes'].dtype == entry['scores'].dtype == np.float32
        assert entry['bboxes'].shape == (len(entry['scores']), 4)
        assert 5 < len(entry['scores']) <= 30


@needs_contrib
def test_ctrl_c_ends_all_workers_soon(shapes_root, out, repo):
    process = subprocess.Popen(
        [sys.executable, '-m', 'frcnn_plugin', 'make-proposals',
         *arguments(shapes_root, out, '--quality', '--workers', '2'),
         '--split', 'train', 'val', 'test'], cwd=repo, stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
    for _ in range(1200):
        if list(parts_of(out).glob('*.npz')) or process.poll() is not None:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and said.splitlines()[-1] == 'interrupted'
    assert 0 < len(list(parts_of(out).glob('*.npz'))) < 34 and not out.exists()


def test_a_data_set_takes_the_file(shapes_root, out, searched):
    make_proposals(arguments(shapes_root, out))
    data = VOCFolder(str(shapes_root), split='val', metainfo=dict(classes=CLASSES),
                     test_mode=True, proposal_file=str(out))
    assert len(data) == 4
    for index in range(4):
        found = data.get_data_info(index)['proposals']
        assert found['bboxes'].tolist() == [[0, 0, 5, 5]]
        assert found['scores'][0] == pytest.approx(searched.names[index])


@pytest.mark.parametrize('stop', [0, 3])
def test_an_interrupted_search_goes_on(shapes_root, out, searched, stop):
    searched.failing.add(stop)
    with pytest.raises(KeyboardInterrupt):
        make_proposals(arguments(shapes_root, out))
    assert not out.exists() and len(list(parts_of(out).glob('*.npz'))) == stop
    searched.failing.clear()
    make_proposals(arguments(shapes_root, out))
    assert len(searched.names) == 10 == len(set(searched.names))  # none twice
    content = read_proposals(out)
    assert sorted(float(e['scores'][0]) for e in content.values()) == pytest.approx(
        sorted(searched.names))
    assert not parts_of(out).exists()


def test_a_lost_part_is_searched_again_and_a_damaged_one_named(
        shapes_root, out, searched):
    searched.failing.add(9)
    with pytest.raises(KeyboardInterrupt):
        make_proposals(arguments(shapes_root, out))
    searched.failing.clear()
    lost, damaged, *_ = sorted(parts_of(out).glob('*.npz'))
    lost.unlink()
    damaged.write_bytes(damaged.read_bytes()[:50])
    with pytest.raises(UserError, match=rf'{damaged.name}: damaged.*delete it'):
        make_proposals(arguments(shapes_root, out))
    assert len(searched.names) == 11
    damaged.unlink()
    make_proposals(arguments(shapes_root, out))
    assert len(searched.names) == 12


def test_parts_of_other_settings_are_not_mixed(shapes_root, out, searched):
    searched.failing.add(3)
    with pytest.raises(KeyboardInterrupt):
        make_proposals(arguments(shapes_root, out))
    with pytest.raises(UserError, match=r'parts: holds parts.*num 2000 instead of 7'):
        make_proposals(arguments(shapes_root, out, '--num', '7'))
    (parts_of(out) / 'settings.json').write_text('{')
    with pytest.raises(UserError, match=r'parts: holds parts'):
        make_proposals(arguments(shapes_root, out))
    searched.failing.clear()
    make_proposals(arguments(shapes_root, out, '--num', '7', '--overwrite'))
    assert len(searched.names) == 13


def test_a_finished_file_is_kept_until_told_otherwise(shapes_root, out, searched):
    make_proposals(arguments(shapes_root, out))
    before = out.read_bytes()
    with pytest.raises(UserError, match=r'p\.npz: exists already'):
        make_proposals(arguments(shapes_root, out))
    searched.failing.add(12)
    with pytest.raises(KeyboardInterrupt):
        make_proposals(arguments(shapes_root, out, '--overwrite'))
    assert out.read_bytes() == before
    searched.failing.clear()
    make_proposals(arguments(shapes_root, out))  # what was begun may be finished
    assert len(searched.names) == 20


@needs_contrib
def test_one_process_names_a_bad_image_and_keeps_the_rest(root, out):
    (root / 'JPEGImages/test_00005.jpg').write_bytes(b'no image')
    with pytest.raises(DataError, match=r'test_00005\.jpg: not a readable image'):
        make_proposals(arguments(root, out, '--num', '5'))
    assert len(list(parts_of(out).glob('*.npz'))) >= 8


def test_folders_of_a_devkit(shapes_root, out, searched, tmp_path):
    for year in ('VOC2007', 'VOC2012'):
        (tmp_path / year).symlink_to(shapes_root)
    with pytest.raises(UserError, match=r'VOC2007.*VOC2012.*one name'):
        make_proposals(arguments(tmp_path, out))
    make_proposals(arguments(tmp_path, out, '--folders', 'VOC2012'))
    assert len(searched.names) == 10


@pytest.mark.parametrize('extra, says', [
    (['--data-root', '/nowhere'], '/nowhere: no such folder'),
    (['--split', 'trial'], r'trial\.txt: the split file is missing; there are test'),
    (['--num', '0'], '--num is 0; it must be at least 1'),
    (['--max-side', '-1'], '--max-side is -1'), (['--workers', '0'], '--workers is 0'),
    (['--out', 'p.pkl'], r'--out p\.pkl: proposals are written as \.npz')])
def test_mistakes_are_one_line(shapes_root, out, searched, extra, says):
    with pytest.raises(UserError, match=says) as caught:
        make_proposals(arguments(shapes_root, out, *extra))
    assert '\n' not in str(caught.value)
    assert not out.parent.exists()
