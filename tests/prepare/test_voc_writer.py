"""Boxes between edges of pixels, as COCO and YOLO have them, in files of VOC."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from frcnn_plugin.datasets.orientation import PictureSize
from frcnn_plugin.datasets.voc_annotation import VOCObject
from frcnn_plugin.prepare.account import Account
from frcnn_plugin.prepare.formats.coco import read_coco_labels
from frcnn_plugin.prepare.formats.yolo import label_of
from frcnn_plugin.prepare.placement import picture_of, placed
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


def labels_of_coco(size, bbox):
    """The labels of a file of one picture with one box."""
    content = dict(
        images=[dict(id=0, file_name='a.png', width=size[0], height=size[1])],
        categories=[dict(id=0, name='dog')],
        annotations=[dict(id=7, image_id=0, category_id=0, bbox=bbox)])
    return list(read_coco_labels(Path('a.json'), content, []))


def object_of(label, size):
    (edges,), _ = placed(label, PictureSize(*size), None)
    return VOCObject('dog', bbox_of_edges(edges, size))


@given(case=boxes_in_images())
@example(case=((640, 480), (0, 0, 640, 480)))
def test_boxes_of_coco(case):
    size, (x1, y1, x2, y2) = case
    (label,) = labels_of_coco(size, [x1, y1, x2 - x1, y2 - y1])
    assert not label.problems
    assert_edges(size, (x1, y1, x2, y2), corners_in_file(size, object_of(label, size)))


@given(case=boxes_in_images())
@example(case=((640, 480), (0, 0, 640, 480)))
def test_boxes_of_yolo(case):
    (width, height), (x1, y1, x2, y2) = case
    shares = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height,
              (x2 - x1) / width, (y2 - y1) / height)
    for numbers in (shares, (x1 / width, y1 / height, x2 / width, y1 / height,
                             x2 / width, y2 / height)):  # a box, and a polygon
        label = label_of(Path('a.txt'), [' '.join(map(repr, (0, *numbers)))],
                         {0: 'dog'})
        assert_edges(case[0], case[1],
                     corners_in_file(case[0], object_of(label, case[0])))


def test_the_whole_image_is_1_1_w_h():
    (label,) = labels_of_coco((640, 480), [0, 0, 640, 480])
    assert corners_in_file((640, 480), object_of(label, (640, 480))) == [1, 1, 640, 480]


@pytest.mark.parametrize('edges', [
    (5, 5, 6, 20), (5, 5, 20, 6), (5, 5, 5.00004 + 1, 20), (639, 5, 700, 20)])
def test_a_box_of_one_pixel_is_named(tmp_path, edges):
    with pytest.raises(ValueError, match='degenerate box'):
        bbox_of_edges(edges, (640, 480))
    Image.new('RGB', (640, 480)).save(tmp_path / 'a.png')
    x1, y1, x2, y2 = edges
    (label,) = labels_of_coco((640, 480), [x1, y1, x2 - x1, y2 - y1])
    account = Account()
    picture = picture_of(tmp_path / 'a.png', label, None, account)
    assert not picture.objects
    (item,) = account.left_boxes
    assert 'degenerate box' in item.detail and item.boxes == 1


def test_what_lies_outside_the_image_is_cut():
    (label,) = labels_of_coco((640, 480), [-5, 100, 700, 380])
    assert corners_in_file((640, 480), object_of(label, (640, 480))) == [
        1, 101, 640, 480]
