"""Boxes between edges of pixels, as COCO and YOLO have them, in files of VOC."""

import json
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from frcnn_plugin.prepare.import_coco import import_coco
from frcnn_plugin.prepare.import_yolo import import_yolo, read_line
from frcnn_plugin.prepare.voc_writer import bbox_of_edges, voc_annotation


@st.composite
def boxes_in_images(draw):
    """(W, H) and edges in hundredths of a pixel, as in COCO's own files."""
    sizes = draw(st.tuples(*[st.integers(2, 3000)] * 2))
    spans = []
    for side in sizes:
        low = draw(st.integers(0, 100 * side - 101))
        spans.append((low, draw(st.integers(low + 101, 100 * side))))
    (x1, x2), (y1, y2) = spans
    return sizes, tuple(value / 100 for value in (x1, y1, x2, y2))


def corners_in_file(size, item):
    """What an independent reader finds: xmin, ymin, xmax, ymax."""
    box = ElementTree.fromstring(
        voc_annotation('a.png', (*size, 3), [item])).find('object/bndbox')
    return [float(box.findtext(side)) for side in ('xmin', 'ymin', 'xmax', 'ymax')]


def assert_edges(size, edges, corners):
    xmin, ymin, xmax, ymax = corners
    assert (xmin - 1, ymin - 1, xmax, ymax) == pytest.approx(edges, abs=1e-9)
    assert 1 <= xmin < xmax <= size[0] and 1 <= ymin < ymax <= size[1]


@pytest.fixture(scope='module')
def coco(tmp_path_factory):
    root = tmp_path_factory.mktemp('coco')
    Image.new('RGB', (9, 9)).save(root / 'a.png')

    def read(size, bbox):
        (root / 'a.json').write_text(json.dumps(dict(
            images=[dict(id=0, file_name='a.png', width=size[0], height=size[1])],
            categories=[dict(id=0, name='dog')],
            annotations=[dict(id=7, image_id=0, category_id=0, bbox=bbox)])))
        (picture,), problems = import_coco(root / 'a.json', root, 'train')
        return picture.objects, problems
    return read


@given(case=boxes_in_images())
@example(case=((640, 480), (0, 0, 640, 480)))
def test_boxes_of_coco(coco, case):
    size, (x1, y1, x2, y2) = case
    (item,), problems = coco(size, [x1, y1, x2 - x1, y2 - y1])
    assert not problems
    assert_edges(size, (x1, y1, x2, y2), corners_in_file(size, item))


@given(case=boxes_in_images())
@example(case=((640, 480), (0, 0, 640, 480)))
def test_boxes_of_yolo(case):
    (width, height), (x1, y1, x2, y2) = case
    shares = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height,
              (x2 - x1) / width, (y2 - y1) / height)
    for numbers in (shares, (x1 / width, y1 / height, x2 / width, y1 / height,
                             x2 / width, y2 / height)):  # a box, and a polygon
        item = read_line(' '.join(map(repr, (0, *numbers))), {0: 'dog'}, width, height)
        assert_edges(case[0], case[1], corners_in_file(case[0], item))


def test_the_whole_image_is_1_1_w_h(coco):
    (item,), _ = coco((640, 480), [0, 0, 640, 480])
    assert corners_in_file((640, 480), item) == [1, 1, 640, 480]


@pytest.mark.parametrize('edges', [
    (5, 5, 6, 20), (5, 5, 20, 6), (5, 5, 5.00004 + 1, 20), (639, 5, 700, 20)])
def test_a_box_of_one_pixel_is_named(coco, tmp_path, edges):
    with pytest.raises(ValueError, match='degenerate box'):
        bbox_of_edges(edges, (640, 480))
    x1, y1, x2, y2 = edges
    objects, (problem,) = coco((640, 480), [x1, y1, x2 - x1, y2 - y1])
    assert not objects
    assert problem.kind == 'degenerate box' and 'annotation 7' in str(problem)
    for part in ('images', 'labels'):
        (tmp_path / part).mkdir()
    Image.new('RGB', (640, 480)).save(tmp_path / 'images/a.png')
    (tmp_path / 'classes.txt').write_text('dog\n')
    (tmp_path / 'labels/a.txt').write_text(
        f'0 {x1 / 640} {y1 / 480} {x2 / 640} {y1 / 480} {x2 / 640} {y2 / 480}\n')
    (picture,), (problem,) = import_yolo(tmp_path)
    assert not picture.objects and 'line 1: degenerate box' in str(problem)


def test_what_lies_outside_the_image_is_cut(coco):
    (item,), _ = coco((640, 480), [-5, 100, 700, 500])
    assert corners_in_file((640, 480), item) == [1, 101, 640, 480]
