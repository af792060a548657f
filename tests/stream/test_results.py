"""Whatever of the results is there after a kill, a resumed run ends the same."""

import json
import re
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from frcnn_plugin.errors import CannotContinueError, UnfinishedError
from frcnn_plugin.inference import Prediction
from frcnn_plugin.stream import Results, Share, Source, batches
from frcnn_plugin.stream.coco import write_coco
from frcnn_plugin.stream.lines import line_of, printable, row_of
from frcnn_plugin.stream.summary import summary_of

SETTINGS = dict(detector='abc', scores=[0.5])
NAMES = ('a.jpg', 'b "b", "error".jpg', 'c.jpg', 'film.mp4', 'd.jpg', 'd.jpgx.jpg',
         'bröken.jpg', 'last.avi')
FRAMES = 3


def found(number):
    return Prediction(np.float32([[1, 2, 3.5, 4]] * number), np.linspace(
        0.9, 0.5, number, dtype=np.float32), np.arange(number) % 2, ('x', 'y'))


def lines_of(source):
    if source.is_video:
        return [line_of(row_of(source.name, (4, 6), found(1), frame))
                for frame in range(FRAMES)]
    if 'br' in source.name:
        return [line_of(row_of(source.name, error='not a readable image'))]
    return [line_of(row_of(source.name, (4, 6), found(len(source.name) % 3)))]


def work():
    return batches([Source(Path(name), name) for name in NAMES], 2)


def write(results, mine=lambda batches: batches):
    done = 0
    for batch in results.left(mine(work())):
        results.add(line for source in batch for line in lines_of(source))
        done += len(batch)
    results.close()
    return done


@pytest.fixture
def whole(tmp_path):
    path = tmp_path / 'whole/detections.jsonl'
    write(Results(path, SETTINGS, resume=False))
    return path.read_bytes()


def test_torn_anywhere(whole, tmp_path):
    path = tmp_path / 'detections.jsonl'
    counts = set()
    ends = {match.end() + place for match in re.finditer(b'\n', whole)
            for place in (-1, 0, 1)}
    for end in sorted({*range(0, len(whole), 97), *ends} - {len(whole) + 1}):
        Results(path, SETTINGS, resume=True).file.close()
        path.write_bytes(whole[:end])
        counts.add(write(Results(path, SETTINGS, resume=True)))
        assert path.read_bytes() == whole
        path.unlink()
    assert counts == {8, 6, 5, 4, 2, 1}  # the last video is not known to be whole


def test_killed_again_before_it_was_as_far(whole, tmp_path):
    path = tmp_path / 'detections.jsonl'
    Results(path, SETTINGS, resume=False).file.close()
    path.write_bytes(whole[:-20])  # the last video is torn, and begun again
    results = Results(path, SETTINGS, resume=True)
    film, = results.left(work())
    results.add(lines_of(film[0])[:1])
    assert path.read_bytes() == whole[:whole.index(b'{"file_name": "last.avi"')] + (
        lines_of(film[0])[0])


def test_what_is_finished_stays(whole, tmp_path):
    path = tmp_path / 'whole/detections.jsonl'
    assert Results(path, SETTINGS, resume=True).finished
    again = Results(path, SETTINGS, resume=False)
    assert not again.finished and path.read_bytes() == b''
    with pytest.raises(UnfinishedError, match='belongs to an unfinished run'):
        Results(path, SETTINGS, resume=False)


def test_a_finished_run_and_other_pictures(whole, tmp_path):
    path = tmp_path / 'whole/detections.jsonl'
    more = [*work(), [Source(Path('new.jpg'), 'new.jpg')]]
    assert list(Results(path, SETTINGS, resume=True).left(more)) == more[-1:]
    assert path.read_bytes() == whole
    fewer = list(work())[:-2]
    with pytest.raises(CannotContinueError, match='that are no longer there'):
        list(Results(path, SETTINGS, resume=True).left(fewer))


def test_results_without_their_notes(whole, tmp_path):
    path = tmp_path / 'whole/detections.jsonl'
    path.with_suffix('.run.json').unlink()
    with pytest.raises(CannotContinueError, match='which says how it was made'):
        Results(path, SETTINGS, resume=True)
    assert path.read_bytes() == whole


def test_a_video_that_is_listed_twice(tmp_path):
    path = tmp_path / 'detections.jsonl'
    film = Source(Path('film.mp4'), 'film.mp4')
    results = Results(path, SETTINGS, resume=False)
    for batch in results.left([[film], [film]]):
        results.add(lines_of(batch[0]))
    results.close()
    assert list(Results(path, SETTINGS, resume=True).left([[film], [film]])) == []


def test_one_of_several_that_has_other_settings(tmp_path):
    shares = [Share(rank, 2) for rank in range(2)]
    for share in shares:
        other = dict(SETTINGS, detector=share.rank)
        write(Results(share.file(tmp_path), other, False, part=True), share.mine)
    with pytest.raises(CannotContinueError, match='made with a different detector'):
        shares[0].wait(tmp_path, dict(SETTINGS, detector=0))


def test_other_settings_and_other_pictures(whole, tmp_path):
    path = tmp_path / 'detections.jsonl'
    Results(path, SETTINGS, resume=False).file.close()
    path.write_bytes(whole)
    with pytest.raises(CannotContinueError, match='made with a different scores'):
        Results(path, dict(SETTINGS, scores=[0.6]), resume=True)
    results = Results(path, SETTINGS, resume=True)
    other = batches([Source(Path(name), name) for name in ('a.jpg', 'c.jpg')], 2)
    with pytest.raises(CannotContinueError, match=r'jsonl:2 is not about c\.jpg'):
        list(results.left(other))
    assert path.read_bytes() == whole
    path.with_suffix('.run.json').write_text('{')
    with pytest.raises(CannotContinueError, match=r'run\.json: damaged'):
        Results(path, SETTINGS, resume=True)


@pytest.mark.parametrize('number', [2, 3, 7])
def test_several_processes_make_the_same_file(whole, tmp_path, number):
    out = tmp_path / 'out'
    shares = [Share(rank, number) for rank in range(number)]
    for share in reversed(shares):
        write(Results(share.file(out), SETTINGS, False, part=True), share.mine)
    shares[0].wait(out, SETTINGS)
    with pytest.raises(UnfinishedError):
        Results(shares[1].file(out), SETTINGS, False, part=True)
    with pytest.raises(UnfinishedError):
        Share().check(out, resume=False)
    with pytest.raises(CannotContinueError, match=f'{number} processes; this one has'):
        Share(0, number + 1).check(out, resume=True)
    shares[0].merge(out, work(), SETTINGS)
    assert (out / 'detections.jsonl').read_bytes() == whole
    shares[0].remove(out)
    assert sorted(file.name for file in out.iterdir()) == [
        'detections.jsonl', 'detections.run.json']
    Share().check(out, resume=False)


def test_the_first_waits_for_the_others(whole, tmp_path, monkeypatch, capsys):
    module = sys.modules['frcnn_plugin.stream.shares']
    monkeypatch.setattr(module, 'WAIT', 0.01)
    monkeypatch.setattr(module, 'PATIENCE', 0.0)
    out, (one, two) = tmp_path / 'out', [Share(rank, 2) for rank in range(2)]
    write(Results(one.file(out), SETTINGS, False, part=True), one.mine)
    late = threading.Timer(0.3, lambda: write(
        Results(two.file(out), SETTINGS, False, part=True), two.mine))
    late.start()
    one.wait(out, SETTINGS)
    one.merge(out, work(), SETTINGS)
    late.join()
    assert (out / 'detections.jsonl').read_bytes() == whole
    assert 'waiting for the processes 1' in capsys.readouterr().out


@pytest.mark.parametrize(('launcher', 'rank', 'number', 'local'), [
    ('slurm', 'SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
    ('mpi', 'OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE',
     'OMPI_COMM_WORLD_LOCAL_RANK')])
def test_the_variables_of_a_launcher(monkeypatch, launcher, rank, number, local):
    for name, value in ((rank, '3'), (number, '4'), (local, '1')):
        monkeypatch.setenv(name, value)
    assert Share.of(launcher) == Share(3, 4, 1)


def test_the_same_as_coco_has_it(whole, tmp_path):
    path, target = tmp_path / 'whole/detections.jsonl', tmp_path / 'detections.json'
    write_coco(path, target, ('x', 'y'))
    document = json.loads(target.read_text())
    names = [name for name in NAMES if 'br' not in name]
    assert [image['file_name'] for image in document['images']] == names
    assert [image['id'] for image in document['images']] == list(range(len(names)))
    entries = document['annotations']
    assert [entry['id'] for entry in entries] == list(range(1, len(entries) + 1))
    film = [entry for entry in entries if entry['file_name'] == 'film.mp4']
    assert [entry['frame'] for entry in film] == list(range(FRAMES))
    assert {entry['image_id'] for entry in film} == {names.index('film.mp4')}
    assert film[0]['bbox'] == [1, 2, 2.5, 2] and film[0]['category'] == 'x'
    assert document['categories'] == [dict(id=0, name='x'), dict(id=1, name='y')]
    summary = summary_of(path)
    assert (summary.images, summary.videos, summary.unread, summary.detections) == (
        5, 2, 1, len(entries))
    assert summary.broken == [('bröken.jpg', 'not a readable image')]
    assert str(summary) == f'{len(entries)} detections in 5 images and 2 videos'
    path.write_bytes(b'')
    write_coco(path, target, ('x',))
    assert json.loads(target.read_text()) == dict(
        images=[], annotations=[], categories=[dict(id=0, name='x')])


def test_the_same_in_parquet(whole, tmp_path, monkeypatch):
    parquet = pytest.importorskip('pyarrow.parquet')
    monkeypatch.setattr('frcnn_plugin.stream.parquet.ROWS', 3)  # of several groups
    from frcnn_plugin.stream.parquet import write_parquet
    path, target = tmp_path / 'whole/detections.jsonl', tmp_path / 'detections.parquet'
    with path.open('ab') as file:  # a name that is not UTF-8
        file.write(line_of(row_of('\udcff.jpg', error='no such image')))
    write_parquet(path, target)
    rows = parquet.read_table(target).to_pylist()
    for row, line in zip(rows, map(json.loads, path.open()), strict=True):
        assert row['file_name'] == printable(line['file_name'])
        assert row['error'] == line.get('error')
        assert row['frame'] == line.get('frame')
        if 'error' in line:
            assert row['detections'] is None
            continue
        for mine, entry in zip(row['detections'], line['detections'], strict=True):
            assert mine['bbox'] == entry['bbox'] and mine['category'] == 'xy'[
                mine['category_id']]
            assert mine['score'] == pytest.approx(entry['score'])
            assert mine['probability'] is None
