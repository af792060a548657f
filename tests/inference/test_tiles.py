"""Objects that tiles cut are found once, and whole."""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from frcnn_plugin.commands.detect import detect
from frcnn_plugin.commands.test import test as run_test
from frcnn_plugin.config.files import load_config
from frcnn_plugin.config.testing import use_tiles
from frcnn_plugin.datasets.tiles import area, clip, tiles_of
from frcnn_plugin.errors import UserError
from frcnn_plugin.inference import Detector, Prediction, tiled_detector
from frcnn_plugin.inference.images import read_image
from frcnn_plugin.inference.merge_tiles import iou, merge
from frcnn_plugin.inference.tiled_detector import TiledDetector
from frcnn_plugin.io import large_image
from frcnn_plugin.io.large_image import LargeImage, is_large
from frcnn_plugin.registry import MODELS, TRANSFORMS
from frcnn_plugin.stream import Detection, detection


@settings(deadline=None)
@given(height=st.integers(1, 500), width=st.integers(1, 500), size=st.integers(32, 200),
       overlap=st.floats(0, 0.9))
def test_tiles_cover_a_picture(height, width, size, overlap):
    tiles = tiles_of(height, width, size, overlap)
    covered = np.zeros((height, width), bool)
    for x1, y1, x2, y2 in tiles:
        assert (x2 - x1, y2 - y1) == (min(size, width), min(size, height))
        covered[y1:y2, x1:x2] = True
    assert covered.all()
    assert len(np.unique(tiles, axis=0)) == len(tiles)
    for side in (0, 1):
        starts = np.unique(tiles[:, side])
        assert (np.diff(starts) <= max(1, size * (1 - overlap))).all()


class Knowing(Detector):
    """Finds what is seen of known objects, and is surest of those that it sees whole.

    The pixels of a picture are their places.

    Args:
        objects: (n, 4) boxes.
        labels: (n,) class indices.
        least: What is seen less of in a picture is not found.
        largest: What is larger, in pixels of a side, is not found either.
    """

    def __init__(self, objects, labels, least=0.1, largest=np.inf):
        self.objects, self.labels = np.float32(objects), np.int64(labels)
        self.least, self.largest, self.classes = least, largest, ('a', 'b')

    def detect(self, images):
        found = []
        for image in images:
            corner = image[0, 0].astype(int)
            x = corner[0] + 256 * (corner[2] & 15)
            y = corner[1] + 256 * (corner[2] >> 4)
            view = np.float32([x, y, x + image.shape[1], y + image.shape[0]])
            seen = clip(self.objects, view)
            shares = area(seen) / area(self.objects)
            keep = (shares > 0) & (shares >= self.least) & (
                (seen[:, 2:] - seen[:, :2]).max(1) <= self.largest)
            scores = (0.5 + 0.4 * shares)[keep].astype(np.float32)
            found.append(Prediction(seen[keep] - np.tile(view[:2], 2), scores,
                                    self.labels[keep], self.classes))
        return found


def picture(height, width):
    """Each pixel tells where it is."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x % 256, y % 256, x // 256 + 16 * (y // 256)], 2).astype(np.uint8)


boxes = st.tuples(st.integers(0, 560), st.integers(0, 360), st.integers(8, 300),
                  st.integers(8, 200))


@settings(deadline=None, max_examples=200)
@given(found=st.lists(boxes, max_size=8), largest=st.sampled_from([np.inf, 200]),
       overlap=st.sampled_from([0.2, 0.4]), data=st.data())
def test_what_a_knowing_detector_finds(found, largest, overlap, data):
    """Whether an object fits into a tile or is several tiles large."""
    height, width = 400, 600
    objects = np.array([(x, y, min(x + w, width), min(y + h, height))
                        for x, y, w, h in found], np.float32).reshape(-1, 4)
    labels = data.draw(st.lists(st.integers(0, 1), min_size=len(objects),
                                max_size=len(objects)))
    both = iou(objects[:, None], objects[None]) - np.eye(len(objects))
    assume((both <= 0).all())  # apart, so that there is one answer
    detector = TiledDetector(Knowing(objects, labels, 0.0, largest), 160, overlap)
    result, = detector.detect([picture(height, width)])
    mine = sorted(zip(result.boxes.tolist(), result.labels.tolist(), strict=True))
    assert mine == sorted(zip(objects.tolist(), labels, strict=True))


def test_halves_are_one_object_and_neighbours_two():
    detector = Knowing([[20, 20, 300, 60], [20, 70, 100, 110], [110, 70, 290, 110],
                        [20, 120, 300, 150]], [0, 0, 0, 1], least=0.05, largest=150)
    result, = TiledDetector(detector, 128, 0.25).detect([picture(160, 320)])
    assert sorted(result.boxes.tolist()) == sorted(detector.objects.tolist())


class Unsure(Knowing):
    """Finds nonsense too, with small scores, a piece larger than what it sees."""

    def detect(self, images):
        return [self.prediction(
            np.concatenate([each.boxes, each.boxes + np.float32([-9, -9, 9, 9])]),
            np.concatenate([each.scores, each.scores / 5]),
            np.concatenate([each.labels, each.labels]))
            for each in super().detect(images)]


def test_what_is_unsure_changes_nothing_that_is_sure():
    objects = [[20, 20, 300, 60], [60, 80, 100, 110], [110, 80, 290, 140]]
    detector = Unsure(objects, [0, 0, 0], least=0.05)
    result, = TiledDetector(detector, 128, 0.25).detect([picture(160, 320)])
    sure = result.above(0.25)
    assert sorted(sure.boxes.tolist()) == sorted(np.float32(objects).tolist())
    assert (sure.scores > 0.8).all()


def test_a_sloppy_box_makes_no_sure_one_larger():
    """Two tiles see a part each; one of them is unsure of how large it is."""
    tiles = np.array([[0, 0, 100, 100], [60, 0, 160, 100]])
    boxes = np.float32([[20, 20, 100, 40], [60, 15, 160, 45]])
    for score, expected in ((0.8, [20, 15, 160, 45]), (0.1, [20, 20, 100, 40])):
        found, scores, _ = merge(
            boxes, np.float32([0.9, score]), np.zeros(2, np.int64), np.arange(2), tiles,
            100, 160)
        assert found.tolist() == [expected] and scores.tolist() == [np.float32(0.9)]


@pytest.mark.parametrize('kind', [
    dict(dtype='uint16', photometric='rgb', count=3),
    dict(dtype='float32', photometric='minisblack', count=1),
    dict(dtype='uint8', photometric='miniswhite', count=1)])
def test_other_samples_than_bytes_are_read_at_once(tmp_path, monkeypatch, kind):
    rasterio = pytest.importorskip('rasterio')
    path = tmp_path / 'other.tif'
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        with rasterio.open(path, 'w', driver='GTiff', height=20, width=30, **kind
                           ) as file:
            file.write(np.ones((kind['count'], 20, 30), kind['dtype']))
    monkeypatch.setattr(large_image, 'LARGE', 100)
    assert not is_large(path)


def test_a_large_jpeg_in_a_tiff_has_the_same_colours(tmp_path, monkeypatch):
    rasterio = pytest.importorskip('rasterio')
    path = tmp_path / 'jpeg.tif'
    pixels = np.zeros((3, 64, 96), np.uint8)
    pixels[0, :, :48], pixels[2, 32:] = 200, 120
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        with rasterio.open(path, 'w', driver='GTiff', height=64, width=96, count=3,
                           dtype='uint8', photometric='ycbcr', compress='jpeg') as file:
            file.write(pixels)
    monkeypatch.setattr(large_image, 'LARGE', 100)
    assert is_large(path)
    found = LargeImage(path)[0:64, 0:96].astype(int)
    assert np.abs(found - read_image(path).astype(int)).mean() < 2


@pytest.mark.long
def test_many_tiles_and_boxes():
    """Of a picture of 4000 objects in 1600 tiles."""
    y, x = np.mgrid[:64, :64] * 60 + 5
    objects = np.stack([x, y, x + 40, y + 30], -1).reshape(-1, 4)
    detector = Knowing(objects, np.zeros(len(objects)), least=0.01)
    result, = TiledDetector(detector, 128, 0.25, batch_size=64).detect(
        [picture(3840, 3840)])
    assert sorted(result.boxes.tolist()) == sorted(objects.astype(float).tolist())


def test_a_small_picture_is_one_tile():
    detector = Knowing([[2, 3, 40, 50]], [1])
    result, = TiledDetector(detector, 160).detect([picture(100, 160)])
    expected, = detector.detect([picture(100, 160)])
    np.testing.assert_array_equal(result.boxes, expected.boxes)


@pytest.mark.parametrize(('size', 'overlap', 'says'), [
    (8, 0.2, 'tiles of 8 pixels'), (64, 1.0, 'an overlap of 1'),
    (64, -0.1, r'an overlap of -0\.1')])
def test_tiles_that_cannot_be(size, overlap, says):
    with pytest.raises(UserError, match=says):
        TiledDetector(Knowing([[0, 0, 9, 9]], [0]), size, overlap)


def test_the_config_of_a_test_stays(repo):
    cfg = load_config('frcnn_r18_c4_bccd', {'model.roi_head.test_cfg.max_per_img': 7})
    pipeline = list(cfg.test_dataloader.dataset.pipeline)
    use_tiles(cfg, 100, 0.3)
    assert cfg.model.module.roi_head.test_cfg.max_per_img == 7
    assert cfg.model.pipeline == pipeline
    assert cfg.test_dataloader.dataset.pipeline != pipeline
    model = MODELS.build(cfg.model)
    assert list(model.module.parameters())
    assert (model.detector.size, model.detector.overlap) == (100, 0.3)


def test_detect_and_test(checkpoint, shapes_root, tmp_path, fresh_process):
    """Tiles as large as the pictures change nothing; smaller ones do."""
    common = [checkpoint, '--data-root', str(shapes_root), '--cfg-options',
              'default_hooks.report=None', 'test_dataloader.num_workers=0',
              'test_dataloader.persistent_workers=False', '--work-dir']
    plain = run_test([*common, str(tmp_path / 'plain')])
    large = run_test([*common, str(tmp_path / 'large'), '--tiles', '500'])
    assert large['per_class'] == pytest.approx(plain['per_class'], abs=1e-6)
    small = run_test([*common, str(tmp_path / 'small'), '--tiles', '100', '--overlap',
                      '0.4'])
    assert small['per_class'] != plain['per_class']
    found = tmp_path / 'found'
    picture, = sorted((shapes_root / 'JPEGImages').glob('test_*.jpg'))[:1]
    detect([str(picture), checkpoint, '-o', str(found), '--device', 'cpu', '--tiles',
            '100', '--score-thr', '0.05'])
    assert (found / picture.name).is_file()
    with pytest.raises(UserError, match='not measured in tiles'):
        run_test([*common, str(tmp_path / 'none'), '--tiles', '100', '--tta'])


def test_tiles_keep_the_scores_to_cut_at():
    detector = Knowing([[2, 3, 40, 50], [200, 10, 260, 60]], [1, 0])
    detector.take_operating_points(dict(
        rule='', images=1, thresholds=dict(a=0.25, b=0.75),
        calibration=dict(a=[1, 1, 0], b=[1, 1, -2])), 'a')
    tiled = TiledDetector(detector, 128)
    assert tiled.thresholds.tolist() == [0.25, 0.75]
    result, = tiled.detect([picture(160, 320)])
    assert len(result) == 2
    np.testing.assert_allclose(result.probabilities, detector._points.probabilities(
        result.scores, result.labels))


@pytest.mark.parametrize('options', [
    dict(), dict(tiled=True, blockxsize=64, blockysize=64), dict(compress='deflate')])
@pytest.mark.parametrize('count', [1, 3, 4])
def test_a_large_tiff_is_read_in_parts(tmp_path, monkeypatch, options, count):
    rasterio = pytest.importorskip('rasterio')
    path = tmp_path / 'large.tif'
    pixels = picture(200, 300)[..., ::-1]
    pixels = np.concatenate([pixels, pixels[..., :1]], 2)[..., :count]
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        kind = 'minisblack' if count == 1 else 'rgb'
        with rasterio.open(path, 'w', driver='GTiff', height=200, width=300, dtype=(
                'uint8'), count=count, photometric=kind, **options) as file:
            file.write(pixels.transpose(2, 0, 1))
    assert not is_large(path)
    monkeypatch.setattr(large_image, 'LARGE', 1000)
    expected = read_image(path)
    assert is_large(path) and LargeImage(path).shape == expected.shape
    np.testing.assert_array_equal(LargeImage(path)[20:80, 110:300],
                                  expected[20:80, 110:300])
    tile = TRANSFORMS.build(dict(type='LoadTile'))(
        dict(img_path=str(path), tile=[110, 20, 300, 80]))
    np.testing.assert_array_equal(tile['img'], expected[20:80, 110:300])
    monkeypatch.setattr(detection, 'DRAWN', 150)
    shown = Detection(None, 0, 1, lambda image, found: (image.shape, found.boxes),
                      tmp_path, None).picture(LargeImage(path), Prediction(
                          np.float32([[30, 60, 90, 120]]), np.ones(1),
                          np.zeros(1, int), ('a',)))
    assert shown[0] == (100, 150, 3) and shown[1].tolist() == [[15, 30, 45, 60]]
    small = LargeImage(path).reduced(100)
    assert small.shape == (67, 100, 3)
    detector = TiledDetector(Brightest(), 100)
    mine, = detector.detect([detector.read(path)])
    theirs, = detector.detect([expected])
    assert len(mine) == len(theirs) > 0
    np.testing.assert_array_equal(mine.boxes, theirs.boxes)
    # an object that only the whole picture shows, at a third of its size
    monkeypatch.setattr(tiled_detector, 'WHOLE', 100)
    whole, = TiledDetector(Largest(), 90).detect([LargeImage(path)])
    np.testing.assert_allclose(whole.boxes, [[0, 0, 300, 200]], atol=0.01)


class Largest(Detector):
    """Finds an object as large as a picture, if that is a whole one."""

    classes = ('a',)

    def detect(self, images):
        return [Prediction(
            np.float32([[0, 0, *image.shape[1::-1]]][:image.shape[1] == 100]).reshape(
                -1, 4), np.ones(int(image.shape[1] == 100), np.float32),
            np.zeros(int(image.shape[1] == 100), np.int64), self.classes)
            for image in images]


class Brightest(Detector):
    """Finds the brightest 8x8 pixels of a picture of at most 100 pixels."""

    classes = ('a',)

    def detect(self, images):
        found = []
        for image in images:
            small = image.astype(int).sum(2)
            y, x = np.unravel_index(small.argmax(), small.shape)
            box = np.float32([[x, y, x + 8, y + 8]]) if max(small.shape) <= 100 else (
                np.zeros((0, 4), np.float32))
            found.append(Prediction(box, np.ones(len(box), np.float32),
                                    np.zeros(len(box), np.int64), self.classes))
        return found
