import pytest
import torch
from mmdet.models.task_modules import DeltaXYWHBBoxCoder
from torchvision.ops import batched_nms, clip_boxes_to_image

from frcnn_plugin.rpn import AnchorGenerator, ProposalCreator

CODER = DeltaXYWHBBoxCoder(clip_border=False)
SIZES = torch.tensor([[120.0, 150.0], [128.0, 100.0]])


@pytest.fixture
def two_levels():
    generator = AnchorGenerator([8, 16], [0.5, 1, 2], [4])
    levels = generator.grid_priors([(16, 20), (8, 10)])
    anchors = torch.cat(levels)
    return (torch.rand(2, len(anchors)), torch.randn(2, len(anchors), 4) * 0.3, anchors,
            [len(level) for level in levels])


def expected(scores, deltas, anchors, level_sizes, image, nms_pre, thr, smallest):
    """The same in a loop, of torchvision's functions."""
    boxes, kept_scores, levels, start = [], [], [], 0
    for level, size in enumerate(level_sizes):
        part = slice(start, start + size)
        top = scores[image, part].topk(min(nms_pre, size)).indices + start
        boxes.append(CODER.decode(anchors[top], deltas[image, top]))
        kept_scores.append(scores[image, top])
        levels.append(torch.full_like(top, level))
        start += size
    height, width = SIZES[image].tolist()
    boxes = clip_boxes_to_image(torch.cat(boxes), (height, width))
    kept_scores, levels = torch.cat(kept_scores), torch.cat(levels)
    large = ((boxes[:, 2:] - boxes[:, :2]) >= smallest).all(1)
    boxes, kept_scores, levels = boxes[large], kept_scores[large], levels[large]
    keep = batched_nms(boxes, kept_scores, levels, thr)
    return boxes[keep], kept_scores[keep]


def test_equals_torchvisions_functions_in_a_loop(two_levels):
    scores, deltas, anchors, level_sizes = two_levels
    creator = ProposalCreator(0.7, train=dict(nms_pre=300, max_per_img=100),
                              min_bbox_size=16)
    found = creator(scores, deltas, anchors, SIZES, CODER, True, level_sizes)
    assert found.bboxes.shape == (2, 100, 4)
    for image in range(2):
        boxes, kept = expected(scores, deltas, anchors, level_sizes, image, 300, 0.7,
                               16)
        count = min(len(boxes), 100)
        assert int(found.mask[image].sum()) == count > 10
        torch.testing.assert_close(found.bboxes[image, :count], boxes[:count])
        torch.testing.assert_close(found.scores[image, :count], kept[:count])


def test_small_ones_make_room_where_they_are_dropped_first(two_levels):
    """py-faster-rcnn's order: small ones go before the best are taken."""
    scores, deltas, anchors, _ = two_levels
    limits = dict(nms_pre=60, max_per_img=-1)
    after, before = (ProposalCreator(
        0.99, test=limits, min_bbox_size=40, drop_small_first=first)(
            scores, deltas, anchors, SIZES, CODER) for first in (False, True))
    for image in range(2):
        boxes = clip_boxes_to_image(
            CODER.decode(anchors, deltas[image]), tuple(SIZES[image].tolist()))
        large = ((boxes[:, 2:] - boxes[:, :2]) >= 40).all(1)
        best = scores[image, large].topk(60).indices
        keep = batched_nms(boxes[large][best], scores[image, large][best],
                           torch.zeros(60), 0.99)
        assert after.mask[image].sum() < before.mask[image].sum() == len(keep)
        torch.testing.assert_close(
            before.scores[image, :len(keep)], scores[image, large][best][keep])


def test_ranks_tell_the_better_of_two_that_are_certain(two_levels):
    scores, deltas, anchors, _ = two_levels
    logits = scores * 100 + 20  # sigmoids of 1, all of them
    creator = ProposalCreator(0.7, test=dict(nms_pre=50, max_per_img=20),
                              min_bbox_size=0)
    found = creator(logits.sigmoid(), deltas, anchors, SIZES, CODER, ranks=logits)
    wanted = creator(scores, deltas, anchors, SIZES, CODER)
    assert torch.equal(found.bboxes, wanted.bboxes)
    assert (found.scores[found.mask] == 1).all()


def test_training_and_test_have_their_own_numbers(two_levels):
    scores, deltas, anchors, _ = two_levels
    creator = ProposalCreator(
        0.99, train=dict(max_per_img=70), test=dict(max_per_img=30), min_bbox_size=0)
    assert creator(scores, deltas, anchors, SIZES, CODER, True).mask.shape == (2, 70)
    assert creator(scores, deltas, anchors, SIZES, CODER, False).mask.shape == (2, 30)


def test_the_defaults_are_the_papers():
    creator = ProposalCreator()
    assert creator.train == dict(nms_pre=12000, max_per_img=2000)
    assert creator.test == dict(nms_pre=6000, max_per_img=300)
    assert (creator.nms_iou_thr, creator.min_bbox_size) == (0.7, 16)


def test_missing_proposals_are_zeros_behind_the_mask(two_levels):
    scores, deltas, anchors, _ = two_levels
    found = ProposalCreator(0.1, min_bbox_size=30)(
        scores, deltas, anchors, SIZES, CODER)
    assert not found.mask.all()
    assert (found.bboxes[~found.mask] == 0).all()
    assert (found.mask.long().diff(dim=1) <= 0).all()  # real ones first


def test_not_finite_scores_are_no_proposals(two_levels):
    scores, deltas, anchors, _ = two_levels
    scores[0] = float('nan')
    assert not ProposalCreator()(scores, deltas, anchors, SIZES, CODER).mask[0].any()


def test_low_scores_are_dropped_where_asked(two_levels):
    scores, deltas, anchors, level_sizes = two_levels
    creator = ProposalCreator(score_thr=0.9, min_bbox_size=0)
    found = creator(scores, deltas, anchors, SIZES, CODER, level_sizes=level_sizes)
    assert found.mask.any() and (found.scores[found.mask] >= 0.9).all()
    creator.score_thr = None
    more = creator(scores, deltas, anchors, SIZES, CODER, level_sizes=level_sizes)
    assert more.mask.sum() > found.mask.sum()


def test_growth_is_limited_where_asked():
    """Where the image is large enough that clipping does not hide it."""
    anchors, deltas = torch.tensor([[500.0, 500, 510, 510]]), torch.zeros(1, 1, 4)
    deltas[..., 2:] = 99
    for ratio, width in ((8 / 224, 280), (None, 625)):
        creator = ProposalCreator(wh_ratio_clip=ratio)
        found = creator(torch.ones(1, 1), deltas, anchors,
                        torch.tensor([[1010.0, 1010]]), CODER)
        x1, _, x2, _ = found.bboxes[0, 0].tolist()
        assert x2 - x1 == pytest.approx(width, rel=1e-4)
