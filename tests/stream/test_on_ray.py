"""A small cluster of Ray, which reads from a store and writes to it."""

import json
import time

import pytest
from helpers import put_points
from stores import environment, store

from frcnn_plugin.commands.detect import detect
from frcnn_plugin.errors import OutputExistsError, UserError

ray = pytest.importorskip('ray')
pytest.importorskip('moto.server')
fs = pytest.importorskip('pyarrow.fs')
pytestmark = pytest.mark.long


class Busy:
    """Has a store refuse to give pictures, for some seconds from the first on."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.until, self.refused = seconds, None, 0

    def __call__(self, request: dict) -> bool:
        if request['REQUEST_METHOD'] != 'GET' or '.jpg' not in request['PATH_INFO']:
            return False
        self.until = self.until or time.monotonic() + self.seconds
        refuses = time.monotonic() < self.until
        self.refused += refuses
        return refuses


@pytest.fixture(scope='module')
def busy():
    return Busy(2)


@pytest.fixture(scope='module')
def bucket(busy):
    """A bucket in a store that is busy when it is first read from."""
    with store(busy) as port, pytest.MonkeyPatch.context() as patch:
        for name, value in environment(port).items():
            patch.setenv(name, value)
        place = fs.S3FileSystem(endpoint_override=f'http://127.0.0.1:{port}',
                                allow_bucket_creation=True)
        place.create_dir('bucket')
        yield place


@pytest.fixture(scope='module')
def cluster(bucket):
    """Its processes have what the store asks for in their environment."""
    ray.init(num_cpus=2, log_to_driver=False, include_dashboard=False)
    yield
    ray.shutdown()


def test_from_a_busy_store_and_to_it(cluster, bucket, busy, checkpoint, shapes_root,
                                     tmp_path, capsys):
    detector = put_points(checkpoint, tmp_path / 'told.pth', dict.fromkeys(
        ('circle', 'square', 'triangle', 'star'), 0.05))
    folder = tmp_path / 'pictures'
    (folder / 'more').mkdir(parents=True)
    for number, file in enumerate(sorted((shapes_root / 'JPEGImages').iterdir())[:6]):
        target = f'{"more/" * (number % 2)}{file.name}'
        (folder / target).write_bytes(file.read_bytes())
    (folder / 'broken.jpg').write_text('no picture')
    (folder / 'notes.txt').write_text('no picture')
    fs.copy_files(str(folder), 'bucket/pictures', destination_filesystem=bucket)

    expected = tmp_path / 'expected'
    assert detect([str(folder), detector, '-o', str(expected), '--no-pictures',
                   '--batch-size', '1', '--device', 'cpu']) == 1
    lines = {line['file_name']: line for line in map(
        json.loads, (expected / 'detections.jsonl').open())}
    words = ['s3://bucket/pictures', detector, '-o', 's3://bucket/found', '--engine',
             'ray', '--batch-size', '1', '--device', 'cpu']
    capsys.readouterr()
    assert detect(words) == 1
    said = capsys.readouterr().out
    assert busy.refused
    assert 'detections in 6 images' in said and '1 could not be read' in said
    rows = fs_rows(bucket)
    assert sorted(row['file_name'] for row in rows) == sorted(lines)
    for row in rows:
        line = lines[row['file_name']]
        assert row['error'] == line.get('error')
        assert row['width'] == line.get('width')
        for mine, theirs in zip(row['detections'] or [], line.get('detections', []),
                                strict=True):
            assert mine['category'] == theirs['category']
            assert mine['bbox'] == pytest.approx(theirs['bbox'], abs=0.05)
            assert mine['score'] == pytest.approx(theirs['score'], abs=1e-3)
    with pytest.raises(OutputExistsError, match='is not empty'):
        detect(words)
    with pytest.raises(UserError, match='s3://bucket/none: no such folder'):
        detect(['s3://bucket/none', *words[1:]])


def fs_rows(bucket):
    from pyarrow import dataset
    return dataset.dataset('bucket/found', filesystem=bucket).to_table().to_pylist()
