"""Pictures, one list of detections, and videos."""

import json
import shutil

import cv2
import numpy as np
import pytest
from helpers import put_points
from pycocotools.coco import COCO

from frcnn_plugin import Detector
from frcnn_plugin.commands.advice import message_of
from frcnn_plugin.commands.detect import detect
from frcnn_plugin.errors import CannotContinueError, UnfinishedError, UserError
from frcnn_plugin.io.weights_only import load_weights_only


@pytest.fixture
def pictures(shapes_root, tmp_path):
    root = tmp_path / 'pictures'
    (root / 'more').mkdir(parents=True)
    files = sorted((shapes_root / 'JPEGImages').glob('*.jpg'))[:3]
    for file, place in zip(files, ('a.jpg', 'b.jpg', 'more/c.jpg'), strict=True):
        shutil.copyfile(file, root / place)
    (root / 'notes.txt').write_text('no picture')
    return root


def read(out):
    return json.loads((out / 'detections.json').read_text())


def test_a_folder(checkpoint, pictures, tmp_path, capsys):
    out = tmp_path / 'out'
    assert detect([str(pictures), checkpoint, '-o', str(out), '--score-thr', '0.2',
                   '--batch-size', '2', '--device', 'cpu']) == 0
    content = read(out)
    assert [entry['name'] for entry in content['categories']] == [
        'circle', 'square', 'triangle', 'star']
    detector = Detector(checkpoint, device='cpu')
    for name in ('a.jpg', 'b.jpg', 'more/c.jpg'):
        height, width = cv2.imread(str(out / name)).shape[:2]
        assert min(height, width) >= 400
        found = detector(pictures / name).above(0.2)
        entries = [entry for entry in content['annotations']
                   if entry['file_name'] == name]
        assert [entry['category'] for entry in entries] == found.names
        for entry, box in zip(entries, found.boxes, strict=True):
            x, y, _, h = entry['bbox']
            assert abs(x - box[0]) < 0.1 and abs(y + h - box[3]) < 0.1
    assert [image['file_name'] for image in content['images']] == [
        'a.jpg', 'b.jpg', 'more/c.jpg']
    assert len({entry['id'] for entry in content['annotations']}) == len(
        content['annotations']) > 0
    assert 'detections in 3 images' in capsys.readouterr().out


def test_each_class_at_its_own_score(checkpoint, pictures, tmp_path, capsys):
    scores = dict(circle=0.9, square=0.05, triangle=0.08, star=0.06)
    told = put_points(checkpoint, tmp_path / 'told.pth', scores)
    common = ['-o', str(tmp_path / 'out'), '--device', 'cpu', '--no-pictures']
    detect([str(pictures), told, *common])
    assert ('score of at least 0.90 circle, 0.05 square, 0.08 triangle, 0.06 star '
            '(best F1 in 87 validation images)') in capsys.readouterr().out
    found = read(tmp_path / 'out')['annotations']
    detector = Detector(told, device='cpu')
    everything = [each for name in ('a.jpg', 'b.jpg', 'more/c.jpg')
                  for each in zip(*(lambda one: (one.names, one.scores))(
                      detector(pictures / name)), strict=True)]
    expected = sorted((name, round(float(score), 5)) for name, score in everything
                      if score >= np.float32(scores[name]))
    assert sorted((each['category'], each['score']) for each in found) == expected
    assert 0 < len(found) < len(everything)
    rights = dict(zip(scores, (0.5, 0.26894, 0.1192, 0.04743), strict=True))
    assert all(each['probability'] == rights[each['category']] for each in found)
    assert len({each['category'] for each in found}) > 1

    detect([str(pictures), told, *common, '--score-thr', '0.2', '--classes', *'abcd'])
    assert 'with a score of at least 0.2\n' in capsys.readouterr().out
    assert min(each['score'] for each in read(tmp_path / 'out')['annotations']) >= 0.2
    detect([str(pictures), checkpoint, *common])
    assert 'with a score of at least 0.3\n' in capsys.readouterr().out
    assert all('probability' not in each and each['score'] >= 0.3
               for each in read(tmp_path / 'out')['annotations'])


def test_scores_that_do_not_fit(checkpoint, tmp_path):
    told = put_points(checkpoint, tmp_path / 'told.pth', dict(circle=0.9))
    with pytest.raises(UserError, match=r'told\.pth: damaged .* not of 4 classes'):
        Detector(told, device='cpu')


def test_a_pattern_and_a_config_of_its_own(checkpoint, pictures, tmp_path):
    config, out = tmp_path / 'config.py', tmp_path / 'out'
    config.write_text(load_weights_only(checkpoint)['meta']['cfg'])
    assert detect([f'{pictures}/*.jpg', str(config), checkpoint, '-o', str(out),
                   '--device', 'cpu', '--no-pictures', '--score-thr', '0', '--classes',
                   *'abcd']) == 0
    assert {entry['category'] for entry in read(out)['annotations']} <= set('abcd')
    assert not list(out.glob('*.jpg'))


def test_a_video(checkpoint, pictures, tmp_path):
    path = tmp_path / 'film.avi'
    frame = cv2.imread(str(pictures / 'a.jpg'))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 5.0,
                             frame.shape[1::-1])
    for _ in range(5):
        writer.write(frame)
    writer.release()
    out = tmp_path / 'out'
    assert detect([str(path), checkpoint, '-o', str(out), '--device', 'cpu',
                   '--score-thr', '0.1', '--batch-size', '2']) == 0
    assert {entry['frame'] for entry in read(out)['annotations']} == set(range(5))
    assert read(out)['images'] == [dict(
        id=0, file_name='film.avi', width=frame.shape[1], height=frame.shape[0])]
    film = cv2.VideoCapture(str(out / 'film.avi.mp4'))
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) == 5
    assert film.get(cv2.CAP_PROP_FPS) == 5


def test_an_image_that_cannot_be_read(checkpoint, pictures, tmp_path, capsys):
    (pictures / 'b.jpg').write_text('no picture')
    common = [checkpoint, '-o', str(tmp_path / 'out'), '--device', 'cpu']
    assert detect([str(pictures), *common]) == 1
    said = capsys.readouterr().out
    assert 'b.jpg: not a readable image; skipped' in said and 'in 2 images' in said
    with pytest.raises(UserError, match=r'b\.jpg: not a readable image'):
        detect([str(pictures / 'b.jpg'), *common])


def test_two_images_of_one_name_are_two(checkpoint, pictures, tmp_path):
    """In the format that pycocotools reads, too."""
    shutil.copyfile(pictures / 'more/c.jpg', pictures / 'more/a.jpg')
    out = tmp_path / 'out'
    assert detect([f'{pictures}/**/a.jpg', checkpoint, '-o', str(out), '--device',
                   'cpu', '--no-pictures', '--score-thr', '0']) == 0
    found = COCO(str(out / 'detections.json'))
    assert [image['file_name'] for image in found.loadImgs(found.getImgIds())] == [
        'a.jpg', 'more/a.jpg']
    detector = Detector(checkpoint, device='cpu')
    for number, image in found.imgs.items():
        height, width = cv2.imread(str(pictures / image['file_name'])).shape[:2]
        assert (image['id'], image['width'], image['height']) == (number, width, height)
        entries = found.loadAnns(found.getAnnIds(imgIds=number))
        assert len(entries) == len(detector(pictures / image['file_name'])) > 0
        assert {entry['file_name'] for entry in entries} == {image['file_name']}


def test_no_picture_is_written_over_another(checkpoint, pictures, tmp_path):
    before = (pictures / 'a.jpg').read_bytes()
    for place in (pictures, pictures / 'a.jpg', f'{pictures}/*.jpg'):
        with pytest.raises(UserError, match='would be written over'):
            detect([str(place), checkpoint, '-o', str(pictures)])
    assert (pictures / 'a.jpg').read_bytes() == before
    shutil.copyfile(pictures / 'a.jpg', pictures / 'more/a.jpg')
    out = tmp_path / 'out'
    assert detect([f'{pictures}/**/a.jpg', checkpoint, '-o', str(out), '--device',
                   'cpu']) == 0
    assert (out / 'a.jpg').is_file() and (out / 'more/a.jpg').is_file()


@pytest.mark.parametrize(('place', 'says'), [
    ('nothing.jpg', 'no such image, folder or video'),
    ('notes.txt', 'no image or video in it')])
def test_nothing_to_detect_in(pictures, place, says):
    with pytest.raises(UserError, match=says):
        detect([str(pictures / place), 'a.pth'])


def test_a_run_that_is_killed_is_gone_on_with(checkpoint, pictures, tmp_path):
    (pictures / 'b.jpg').write_text('no picture')
    out, whole = tmp_path / 'out', tmp_path / 'whole'
    words = [str(pictures), checkpoint, '--device', 'cpu', '--batch-size', '1',
             '--score-thr', '0.2', '-o']
    assert detect([*words, str(whole)]) == 1
    detect([*words, str(out), '--format', 'jsonl'])
    assert not (out / 'detections.json').exists()
    lines = (whole / 'detections.jsonl').read_bytes().splitlines(keepends=True)
    assert [json.loads(line)['file_name'] for line in lines] == [
        'a.jpg', 'b.jpg', 'more/c.jpg']
    assert json.loads(lines[1])['error'] == 'not a readable image'
    # as a kill leaves it
    (out / 'detections.jsonl').write_bytes(lines[0] + lines[1][:10])
    notes = out / 'detections.run.json'
    notes.write_text(notes.read_text().replace('"finished": true', '"finished": false'))
    (out / 'a.jpg').unlink()
    (out / 'more/c.jpg').unlink()
    with pytest.raises(UnfinishedError) as caught:
        detect([*words, str(out)])
    assert 'Continue it with --resume' in message_of(caught.value)
    with pytest.raises(CannotContinueError, match='a different score threshold'):
        detect([*words, str(out), '--resume', '--score-thr', '0.3'])
    assert detect([*words, str(out), '--resume']) == 1
    for name in ('detections.jsonl', 'detections.json', 'more/c.jpg'):
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    assert not (out / 'a.jpg').exists()  # its line was there
    before = (out / 'detections.jsonl').stat().st_mtime_ns
    assert detect([*words, str(out), '--resume']) == 1
    assert (out / 'detections.jsonl').stat().st_mtime_ns == before


def test_two_processes(checkpoint, pictures, tmp_path, monkeypatch, capsys):
    """Of which the second has a picture that cannot be read."""
    (pictures / 'b.jpg').write_text('no picture')
    words = [str(pictures), checkpoint, '--device', 'cpu', '--batch-size', '1',
             '--score-thr', '0.2', '-o']
    whole, out = tmp_path / 'whole', tmp_path / 'out'
    assert detect([*words, str(whole)]) == 1
    with pytest.raises(UserError, match='RANK is not set'):
        detect([*words, str(out), '--launcher', 'pytorch'])
    for rank in (1, 0):
        for name, value in (('RANK', rank), ('WORLD_SIZE', 2), ('LOCAL_RANK', rank)):
            monkeypatch.setenv(name, str(value))
        capsys.readouterr()
        # the status of one that is not the first would end the others
        assert detect([*words, str(out), '--launcher', 'pytorch']) == int(rank == 0)
    assert 'detections in 2 images' in capsys.readouterr().out
    for name in ('detections.jsonl', 'detections.json', 'a.jpg', 'more/c.jpg'):
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    (out / 'detections.json').unlink()  # as if it had been killed while it wrote
    before = (out / 'detections.jsonl').stat().st_mtime_ns
    for rank in (0, 1):
        monkeypatch.setenv('RANK', str(rank))
        detect([*words, str(out), '--launcher', 'pytorch', '--resume'])
    assert (out / 'detections.jsonl').stat().st_mtime_ns == before
    assert (out / 'detections.json').read_bytes() == (
        whole / 'detections.json').read_bytes()
    assert not list(out.glob('detections-*'))
    with pytest.raises(UserError, match='read by one process'):
        detect(['-', *words[1:], str(out), '--launcher', 'pytorch'])


def test_a_list_of_files(checkpoint, pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(pictures)
    (tmp_path / 'list.txt').write_text('more/c.jpg\nnone.jpg\na.jpg\n')
    out = tmp_path / 'out'
    assert detect([f'@{tmp_path}/list.txt', checkpoint, '-o', str(out), '--device',
                   'cpu']) == 1
    lines = [json.loads(line) for line in (out / 'detections.jsonl').open()]
    assert [line['file_name'] for line in lines] == ['more/c.jpg', 'none.jpg', 'a.jpg']
    assert lines[1] == dict(file_name='none.jpg', error='no such image')
    assert (out / 'more/c.jpg').is_file()
