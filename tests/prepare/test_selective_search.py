import re

import cv2
import numpy as np
import pytest
import torch
from helpers import needs_contrib
from torchvision.ops import box_iou

from frcnn_plugin.commands.advice import message_of
from frcnn_plugin.errors import NoSelectiveSearchError
from frcnn_plugin.prepare import selective_search as module
from frcnn_plugin.prepare.selective_search import selective_search
from frcnn_plugin.prepare.shapes import draw_image


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """An image, and its boxes with x2 and y2 outside."""
    image, shapes = draw_image(np.random.default_rng(seed))
    return image, np.float32([shape.bbox for shape in shapes]) + [0, 0, 1, 1]


def recall(gt: np.ndarray, bboxes: np.ndarray) -> torch.Tensor:
    iou = box_iou(torch.as_tensor(gt).float(), torch.as_tensor(bboxes).float())
    return iou.max(1).values >= 0.5


@needs_contrib
def test_most_objects_are_among_the_regions():
    found = torch.cat([
        recall(gt, selective_search(image, 2000)[0])
        for image, gt in map(drawn, range(15))])
    assert len(found) > 30 and found.float().mean() > 0.85


@needs_contrib
@pytest.mark.parametrize('quality', [False, True])
def test_boxes_lie_on_the_image_once_each_and_scores_fall(quality):
    image, _ = drawn(1)
    bboxes, scores = selective_search(image, 2000, quality)
    height, width = image.shape[:2]
    assert bboxes.dtype == scores.dtype == np.float32
    assert bboxes.shape == (len(scores), 4) and len(scores) > 20
    assert (bboxes[:, :2] >= 0).all() and (bboxes[:, 2:] <= [width, height]).all()
    assert (bboxes[:, :2] < bboxes[:, 2:]).all()
    assert len(np.unique(bboxes, axis=0)) == len(bboxes)
    assert (np.diff(scores) < 0).all() and scores[0] == 1 and scores[-1] > 0


@needs_contrib
def test_quality_finds_more():
    image, _ = drawn(1)
    assert len(selective_search(image, 9999, True)[0]) > len(
        selective_search(image, 9999)[0])


@needs_contrib
def test_the_same_regions_in_the_same_order_each_time():
    image, _ = drawn(2)
    first, _ = selective_search(image, 2000)
    selective_search(drawn(3)[0], 2000)  # would move OpenCV's own order on
    again, _ = selective_search(image, 2000)
    assert np.array_equal(first, again)
    fewer, scores = selective_search(image, 10)
    assert np.array_equal(fewer, first[:10]) and len(scores) == 10


@needs_contrib
def test_large_regions_come_first_but_not_only_them():
    image, _ = drawn(4)
    bboxes, _ = selective_search(image, 2000)
    area = (bboxes[:, 2:] - bboxes[:, :2]).prod(1)
    half = len(area) // 2
    assert area[:half].mean() > area[half:].mean()
    assert (np.diff(area) > 0).any()


@needs_contrib
def test_boxes_of_a_shrunk_image_are_in_pixels_of_the_large_one():
    image, gt = drawn(5)
    large = cv2.resize(image, None, fx=3, fy=2)
    bboxes, _ = selective_search(large, 2000, max_side=200)
    height, width = large.shape[:2]
    assert bboxes[:, 2].max() == width and bboxes[:, 3].max() == height
    assert recall(gt * [3, 2, 3, 2], bboxes).float().mean() >= 0.5
    whole, _ = selective_search(image, 2000)
    assert np.array_equal(selective_search(image, 2000, max_side=500)[0], whole)


@needs_contrib
@pytest.mark.parametrize('size', [(1, 1), (1, 7), (40, 50)])
def test_an_image_of_one_colour_is_one_region(size):
    bboxes, scores = selective_search(np.full((*size, 3), 120, np.uint8), 10)
    assert bboxes.tolist() == [[0, 0, size[1], size[0]]] and scores.tolist() == [1]


def test_without_contrib_one_line_says_what_to_install(monkeypatch):
    """The version is that of the package, which the build to install must have too."""
    monkeypatch.delattr(cv2, 'ximgproc', raising=False)
    monkeypatch.setattr(module.metadata, 'version', {
        'opencv-python': '5.0.0.93'}.__getitem__)
    with pytest.raises(NoSelectiveSearchError) as error:
        selective_search(drawn(0)[0], 10)
    assert re.fullmatch(
        r'selective search is .*contrib.*cv2.*version 5\.0\.0\.93, lacks\. Replace it '
        r'by.*install --force-reinstall --no-deps opencv-contrib-python-headless==.*',
        message_of(error.value))
