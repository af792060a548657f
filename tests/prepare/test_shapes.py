import hashlib

import numpy as np
import pytest

from frcnn_plugin.datasets.voc_annotation import read_voc_annotation
from frcnn_plugin.prepare.make_shapes import make_shapes
from frcnn_plugin.prepare.shapes import CLASSES, _shape_mask, draw_image, outline


def images(count: int):
    return [draw_image(np.random.default_rng(i)) for i in range(count)]


def digests(folder) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.glob('*.jpg'))}


def test_boxes_lie_on_the_image_and_all_classes_occur():
    names = set()
    for image, shapes in images(40):
        height, width = image.shape[:2]
        assert shapes
        for shape in shapes:
            names.add(shape.name)
            x1, y1, x2, y2 = shape.bbox
            assert 0 <= x1 < x2 < width and 0 <= y1 < y2 < height
    assert names == set(CLASSES)


def test_all_classes_cover_the_same_area():
    areas = [np.mean([(_shape_mask(np.random.default_rng(seed), name, 160, 128) > 0.5
                       ).sum() for seed in range(200)]) for name in CLASSES]
    assert max(areas) < 1.1 * min(areas)


@pytest.mark.long
def test_neither_colour_nor_place_gives_the_class_away():
    rows = {name: [] for name in CLASSES}
    for image, shapes in images(500):
        for shape in shapes:
            x1, y1, x2, y2 = shape.bbox
            middle = image[(y1 + y2) // 2, (x1 + x2) // 2].astype(float)
            place = [(x1 + x2) / 2 / image.shape[1], (y1 + y2) / 2 / image.shape[0]]
            rows[shape.name].append([*middle, *place])
    rows = {name: np.array(values) for name, values in rows.items()}
    everything = np.concatenate(list(rows.values()))
    spread = everything.std(0)
    for values in rows.values():
        distance = np.abs(values.mean(0) - everything.mean(0)) / spread
        assert (distance < 0.2).all()


def test_the_same_seed_gives_the_same_files_and_splits_share_none(tmp_path):
    for name in ('a', 'b'):
        assert make_shapes(tmp_path / name, dict(train=3, test=2), seed=7)
    assert not make_shapes(tmp_path / 'a', dict(train=3, test=2), seed=7)  # there
    a, b = digests(tmp_path / 'a/JPEGImages'), digests(tmp_path / 'b/JPEGImages')
    assert a == b and len(set(a.values())) == 5
    make_shapes(tmp_path / 'c', dict(train=3, test=2), seed=8)
    assert not set(a.values()) & set(digests(tmp_path / 'c/JPEGImages').values())


def test_annotations_come_back_as_drawn(tmp_path):
    make_shapes(tmp_path, dict(train=1), seed=0)
    _, shapes = draw_image(np.random.default_rng([0, 0, 0]))
    found = read_voc_annotation(tmp_path / 'Annotations/train_00000.xml')
    assert [(o.name, o.bbox) for o in found.objects] == [
        (s.name, tuple(map(float, s.bbox))) for s in shapes]


def test_an_unknown_shape_is_named():
    with pytest.raises(ValueError, match='hexagon'):
        outline('hexagon')
