"""One picture that is no good costs no other one; a full disk ends the run."""

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from frcnn_plugin.errors import CannotWriteError, DataError
from frcnn_plugin.inference import Detector, Prediction
from frcnn_plugin.io.progress import bars
from frcnn_plugin.stream import Detection, Source
from frcnn_plugin.stream import detection as module


class Careful(Detector):
    """Finds one box; refuses pictures that are all white, when it sees their pixels."""

    classes = ('a',)

    def __init__(self):
        pass

    def read(self, image):
        return np.full((20, 30, 3), 255 * ('white' in str(image)), np.uint8)

    def detect(self, images):
        if any(image.min() == 255 for image in images):
            raise DataError('white')
        return [Prediction(np.float32([[1, 2, 11, 12]]), np.float32([0.9]),
                           np.int64([0]), self.classes)] * len(images)


def lines_of(names, out, draw=None):
    batch = [Source(Path(name), name) for name in names]
    with bars() as bar, ThreadPoolExecutor(2) as pool:
        detection = Detection(Careful(), 0.5, len(batch), draw, out, bar)
        found = [line for _, lines in detection.lines([batch], pool) for line in lines]
    return detection, [json.loads(line) for line in found]


def test_pixels_that_cannot_be_read(tmp_path):
    detection, lines = lines_of(['a.jpg', 'white.jpg', 'b.jpg'], tmp_path)
    assert [line['file_name'] for line in lines] == ['a.jpg', 'white.jpg', 'b.jpg']
    assert lines[1] == dict(file_name='white.jpg', error='white')
    assert lines[0]['detections'][0]['bbox'] == [1, 2, 10, 10]
    assert detection.number == 2


def test_a_video_that_cannot_be_read(tmp_path):
    film = str(tmp_path / 'film.mp4')
    Path(film).write_text('no film')
    _, lines = lines_of([film], tmp_path)
    assert lines == [dict(file_name=film, error='not a readable video')]


def test_frames_that_cannot_be_detected_in(tmp_path, monkeypatch):
    monkeypatch.setattr(Careful, 'detect', lambda self, images: (_ for _ in ()).throw(
        DataError('too narrow')))
    monkeypatch.chdir(tmp_path)
    film_of('film.mp4')
    _, lines = lines_of(['film.mp4'], tmp_path / 'out', lambda image, found: 1 / 0)
    assert lines == [dict(file_name='film.mp4', frame=number, error='too narrow')
                     for number in range(3)]


def test_a_video_over_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    film_of('film.mp4')
    before = Path('film.mp4').read_bytes()
    detection, lines = lines_of(['film.mp4'], tmp_path, lambda image, found: image)
    assert len(lines) == 3 and all(line['detections'] for line in lines)
    assert detection.unwritten == 1 and Path('film.mp4').read_bytes() == before


def film_of(path, frames=3):
    writer = cv2.VideoWriter(os.path.abspath(path), cv2.VideoWriter_fourcc(*'mp4v'),
                             25.0, (64, 48))
    for _ in range(frames):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()


def test_names_of_videos(tmp_path, monkeypatch):
    """A colon is no protocol, and OpenCV crashes on what is not UTF-8."""
    monkeypatch.chdir(tmp_path)
    film_of('12:30.mp4')
    _, lines = lines_of(['12:30.mp4'], tmp_path)
    assert [line['frame'] for line in lines] == [0, 1, 2]
    os.rename('12:30.mp4', b'v\xff.mp4')
    _, lines = lines_of([os.fsdecode(b'v\xff.mp4')], tmp_path)
    line, = lines
    assert line['error'] == 'a video whose name is not UTF-8 cannot be opened'


def test_a_video_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    film_of('film.mp4')
    out = tmp_path / 'out'
    (out / 'film.mp4').mkdir(parents=True)
    detection, lines = lines_of(['film.mp4'], out, draw=lambda image, found: image)
    assert len(lines) == 3 and detection.unwritten == 1
    assert detection.reasons == [f'{out}/film.mp4: no video can be written there']


@pytest.mark.parametrize(('number', 'ends'), [(errno.ENOSPC, True),
                                              (errno.EACCES, False)])
def test_a_picture_that_cannot_be_written(tmp_path, monkeypatch, number, ends):
    def write_image(path, image):
        try:
            raise OSError(number, 'no')
        except OSError as error:
            raise CannotWriteError(f'{path}: no') from error
    monkeypatch.setattr(module, 'write_image', write_image)
    if ends:
        with pytest.raises(CannotWriteError):
            lines_of(['a.jpg'], tmp_path, draw=lambda image, found: image)
        return
    detection, lines = lines_of(['a.jpg'], tmp_path, draw=lambda image, found: image)
    assert len(lines[0]['detections']) == 1
    assert detection.unwritten == 1 and len(detection.reasons) == 1
