import math

import torch
import torchvision
from helpers import random_boxes
from mmdet.evaluation import bbox_overlaps
from mmdet.models.task_modules import DeltaXYWHBBoxCoder

from frcnn_plugin.ops import box_iou, clip_bboxes, decode, encode, gather_rows


def test_iou_equals_torchvision_for_each_image():
    boxes, gt = random_boxes(50), random_boxes(12).view(2, 6, 4)
    iou = box_iou(boxes, gt)
    assert iou.shape == (2, 50, 6)
    for image in range(2):
        expected = torchvision.ops.box_iou(boxes, gt[image])
        torch.testing.assert_close(iou[image], expected)


def test_iou_of_empty_boxes_is_zero_and_finite():
    iou = box_iou(torch.zeros(1, 4), torch.zeros(1, 1, 4))
    assert iou.item() == 0


def test_clip_uses_each_images_own_size():
    boxes = torch.tensor([[-5.0, -5.0, 500.0, 500.0]]).expand(2, 1, 4)
    clipped = clip_bboxes(boxes, torch.tensor([[100.0, 200.0], [300.0, 50.0]]))
    assert clipped[:, 0].tolist() == [[0, 0, 200, 100], [0, 0, 50, 300]]


def test_clip_works_with_a_class_axis():
    boxes = torch.full((2, 3, 4, 4), 1000.0)
    clipped = clip_bboxes(boxes, torch.tensor([[10.0, 20.0], [30.0, 40.0]]))
    assert clipped[1, 2, 3].tolist() == [40, 30, 40, 30]


def test_decode_undoes_encode_for_batches():
    coder = DeltaXYWHBBoxCoder(target_stds=(0.1, 0.1, 0.2, 0.2))
    boxes, gt = random_boxes(20).view(2, 10, 4), random_boxes(20).view(2, 10, 4)
    deltas = encode(coder, boxes, gt)
    torch.testing.assert_close(decode(coder, boxes, deltas), gt, atol=1e-3, rtol=1e-4)


def test_decode_of_class_specific_deltas_equals_one_class_at_a_time():
    coder = DeltaXYWHBBoxCoder()
    boxes, deltas = random_boxes(6).view(2, 3, 4), torch.randn(2, 3, 8) * 0.1
    both = decode(coder, boxes, deltas)
    torch.testing.assert_close(both[..., 4:], decode(coder, boxes, deltas[..., 4:]))


def test_select_takes_rows_of_each_image():
    values = torch.arange(12.0).view(2, 3, 2)
    picked = gather_rows(values, torch.tensor([[2, 0], [1, 1]]))
    assert picked.tolist() == [[[4, 5], [0, 1]], [[8, 9], [8, 9]]]


def test_the_last_pixel_may_belong_to_a_box():
    """py-faster-rcnn's convention, against mmdet's version of it."""
    boxes, gt = random_boxes(30).round(), random_boxes(5).round()
    ours = box_iou(boxes, gt.unsqueeze(0), offset=1)[0]
    expected = bbox_overlaps(boxes.numpy(), gt.numpy(), use_legacy_coordinate=True)
    torch.testing.assert_close(ours, torch.from_numpy(expected))
    clipped = clip_bboxes(torch.full((1, 1, 4), 1e4), torch.tensor([[30, 40]]), 1)
    assert clipped.flatten().tolist() == [39, 29, 39, 29]


def test_growth_is_limited_where_asked():
    coder, box = DeltaXYWHBBoxCoder(), torch.tensor([[0.0, 0, 10, 10]])
    deltas = torch.tensor([[0.0, 0, 99, 1]])
    grown = decode(coder, box, deltas, wh_ratio_clip=8 / 224)
    width, height = (grown[0, 2:] - grown[0, :2]).tolist()
    assert math.isclose(width, 10 * 224 / 8, rel_tol=1e-5)
    assert math.isclose(height, 10 * math.e, rel_tol=1e-5)
    assert decode(coder, box, deltas)[0, 2] > grown[0, 2]
