import pytest
import torch
from helpers import random_boxes
from torchvision.ops import batched_nms, nms

from frcnn_plugin.ops import masked_nms


@pytest.fixture
def crowd():
    """Two images of 60 boxes in three groups, a third of them masked out."""
    bboxes = random_boxes(120).view(2, 60, 4)
    return (bboxes, torch.rand(2, 60), torch.rand(2, 60) > 0.33,
            torch.randint(3, (2, 60)))


def expected(bboxes, scores, mask, groups, thr):
    keep = torch.zeros_like(mask)
    for image in range(len(bboxes)):
        index = mask[image].nonzero().squeeze(1)
        kept = batched_nms(bboxes[image, index], scores[image, index],
                           groups[image, index], thr)
        keep[image, index[kept]] = True
    return keep


def test_equals_torchvision_image_by_image(crowd):
    bboxes, scores, mask, groups = crowd
    found = masked_nms(bboxes, scores, mask, 0.3, groups)
    assert torch.equal(found, expected(bboxes, scores, mask, groups, 0.3))
    assert 0 < int(found.sum()) < int(mask.sum())


def test_it_is_a_well_formed_operator(crowd):
    bboxes, scores, mask, groups = crowd
    torch.library.opcheck(torch.ops.frcnn_plugin.masked_nms,
                          (bboxes, scores, mask, groups, 0.3, 10))


def test_without_groups_all_compete():
    bboxes, scores = random_boxes(40), torch.rand(40)
    found = masked_nms(bboxes[None], scores[None], torch.ones(1, 40, dtype=torch.bool),
                       0.5)
    keep = torch.zeros(40, dtype=torch.bool)
    keep[nms(bboxes, scores, 0.5)] = True
    assert torch.equal(found[0], keep)


def test_nothing_stays_where_nothing_is():
    mask = torch.zeros(2, 5, dtype=torch.bool)
    assert not masked_nms(torch.rand(2, 5, 4), torch.rand(2, 5), mask, 0.5).any()


def test_offset_counts_the_last_pixel():
    boxes = torch.tensor([[[0.0, 0, 9, 9], [0, 0, 9, 4.5]]])
    scores, mask = torch.tensor([[0.9, 0.8]]), torch.ones(1, 2, dtype=torch.bool)
    # IoU 4.5 / 9 = 0.5 without, 5.5 / 10 = 0.55 with it
    assert masked_nms(boxes, scores, mask, 0.52).tolist() == [[True, True]]
    assert masked_nms(boxes, scores, mask, 0.52, offset=1).tolist() == [[True, False]]
