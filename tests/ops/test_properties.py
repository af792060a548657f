"""What holds for any finite input: counts, ranges, masks, and no NaN."""

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mmdet.models.task_modules import DeltaXYWHBBoxCoder

from frcnn_plugin.ops import box_iou, masked_nms, match
from frcnn_plugin.ops.boxes import clip_bboxes, decode, encode
from frcnn_plugin.ops.sampling import random_subset, subsample
from frcnn_plugin.ops.suppression import masked_topk
from frcnn_plugin.roi import ProposalTargetSampler
from frcnn_plugin.rpn import AnchorTargetSampler, ProposalCreator
from frcnn_plugin.structures import GroundTruth, Proposals

CODER = DeltaXYWHBBoxCoder()
COORDINATES = st.one_of(  # many that are equal, some that are huge
    st.integers(-20, 120).map(float), st.floats(-1e6, 1e6, width=32))
check = settings(max_examples=80, deadline=None,
                 suppress_health_check=[HealthCheck.too_slow])


@st.composite
def boxes(draw, images: int | None = None, most: int = 7, least: int = 0):
    """(B, N, 4) boxes, of any size, a few without area or upside down."""
    images = images or draw(st.integers(1, 3))
    number = draw(st.integers(least, most))
    values = draw(st.lists(COORDINATES, min_size=images * number * 4,
                           max_size=images * number * 4))
    return torch.tensor(values, dtype=torch.float32).view(images, number, 4)


@st.composite
def ordered(draw, **kwargs):
    """The same with x1 <= x2 and y1 <= y2."""
    found = draw(boxes(**kwargs))
    low, high = found[..., :2], found[..., 2:]
    return torch.cat([low.minimum(high), low.maximum(high)], dim=-1)


def mask_for(data, tensor: torch.Tensor) -> torch.Tensor:
    """(B, N) bool."""
    size = tensor.shape[:2].numel()
    bits = data.draw(st.lists(st.booleans(), min_size=size, max_size=size))
    return torch.tensor(bits, dtype=torch.bool).view(tensor.shape[:2])


def truth_for(data, images: int) -> GroundTruth:
    found = data.draw(ordered(images=images, least=1, most=5))
    return GroundTruth(found, torch.randint(3, found.shape[:2]), mask_for(data, found))


@check
@given(ordered(images=1), ordered(images=1))
def test_iou(first, second):
    iou = box_iou(first, second)
    assert iou.shape == (1, first.size(1), second.size(1))
    assert torch.isfinite(iou).all() and (iou >= 0).all() and (iou <= 1 + 1e-5).all()
    torch.testing.assert_close(iou, box_iou(second, first).transpose(1, 2))
    areas = (first[..., 2:] - first[..., :2]).prod(-1)
    itself = box_iou(first, first).diagonal(dim1=1, dim2=2)
    assert (itself[areas > 1] > 0.999).all()


@check
@given(boxes(images=2), st.tuples(*[st.integers(1, 200)] * 4))
def test_clipping(found, sizes):
    sizes = torch.tensor(sizes).view(2, 2).float()
    clipped = clip_bboxes(found, sizes)
    assert (clipped >= 0).all()
    assert (clipped <= sizes.flip(1).repeat(1, 2).unsqueeze(1)).all()
    assert torch.equal(clip_bboxes(clipped, sizes), clipped)


@check
@given(boxes(), boxes())
def test_decoding_what_was_encoded(found, others):
    number = min(found.size(1), others.size(1))
    found, others = found[:1, :number].abs(), others[:1, :number].abs()
    found[..., 2:] += found[..., :2] + 1
    others[..., 2:] += others[..., :2] + 1
    decoded = decode(CODER, found, encode(CODER, found, others), wh_ratio_clip=1e-9)
    size = found.abs().amax().clamp(min=1) if number else 1
    size = torch.as_tensor(size).maximum(others.abs().amax()) if number else 1
    torch.testing.assert_close(decoded / size, others / size, atol=1e-3, rtol=0)


@check
@given(st.data(), st.booleans(), st.booleans())
def test_matching(data, low_quality, reassign):
    found = data.draw(ordered())
    gt = truth_for(data, found.size(0))
    result = match(found, gt.bboxes, gt.mask, pos_iou_thr=0.7, neg_iou_thr=(0.0, 0.3),
                   match_low_quality=low_quality, reassign_low_quality=reassign)
    assert result.labels.shape == found.shape[:2]
    assert set(result.labels.unique().tolist()) <= {-1, 0, 1}
    assert ((result.gt_indices >= 0) & (result.gt_indices < gt.mask.size(1))).all()
    positive = result.labels == 1
    assert gt.mask.gather(1, result.gt_indices)[positive].all()  # never a padded one
    assert not positive[~gt.mask.any(1)].any()
    assert (result.labels[result.max_iou >= 0.7] == 1).all()


@check
@given(st.data(), st.integers(-1, 9), st.floats(0, 1))
def test_sampling(data, num, fraction):
    labels = mask_for(data, data.draw(boxes())).long()
    labels = labels.masked_fill(mask_for(data, labels), -1)
    picked = subsample(labels, num, fraction)
    assert torch.equal(picked[picked >= 0], labels[picked >= 0])
    if num < 0:
        assert torch.equal(picked, labels)
        return
    positives, negatives = (picked == 1).sum(1), (picked == 0).sum(1)
    assert torch.equal(positives, (labels == 1).sum(1).clamp(max=int(num * fraction)))
    assert torch.equal(negatives, (labels == 0).sum(1).minimum(num - positives))


@check
@given(st.data(), st.integers(0, 9))
def test_choosing(data, num):
    candidates = mask_for(data, data.draw(boxes()))
    indices, real = random_subset(candidates, num)
    assert torch.equal(real.sum(1), candidates.sum(1).clamp(max=num))
    for row, chosen, true in zip(candidates, indices, real, strict=True):
        assert row[chosen[true]].all() and len(set(chosen.tolist())) == len(chosen)


@check
@given(st.data(), st.floats(0, 1), st.integers(-1, 5))
def test_suppression(data, threshold, num):
    found = data.draw(ordered())
    scores = torch.rand(found.shape[:2])
    mask = mask_for(data, found)
    kept = masked_nms(found, scores, mask, threshold, num=num)
    assert not (kept & ~mask).any()
    for bboxes, score, real, stays in zip(found, scores, mask, kept, strict=True):
        if real.any():  # the best always stays
            assert stays[score.masked_fill(~real, -1).argmax()]
        pairs = box_iou(bboxes[stays], bboxes[stays]).fill_diagonal_(0)
        assert (pairs <= threshold + 1e-4).all()
    indices, real = masked_topk(scores, kept, num)
    assert indices.shape == real.shape and (num <= 0 or real.size(1) <= num)


@check
@given(st.data(), st.integers(1, 6), st.integers(1, 6), st.integers(0, 20))
def test_proposals(data, nms_pre, max_per_img, smallest):
    deltas = data.draw(boxes(least=1))
    images, number = deltas.shape[:2]
    anchors = data.draw(ordered(images=1, least=number, most=number))[0]
    objectness = torch.rand(images, number)
    objectness[mask_for(data, objectness)] = data.draw(
        st.sampled_from([float('nan'), float('-inf'), 0.0, 1.0]))
    limits = dict(nms_pre=nms_pre, max_per_img=max_per_img)
    creator = ProposalCreator(train=limits, test=limits, min_bbox_size=smallest)
    sizes = torch.tensor([[100.0, 80.0]]).expand(images, 2)
    found = creator(objectness, deltas, anchors, sizes, CODER)
    assert found.bboxes.shape == (*found.mask.shape, 4)
    assert found.mask.size(1) <= max_per_img
    assert torch.isfinite(found.bboxes).all() and torch.isfinite(found.scores).all()
    assert (found.bboxes[~found.mask] == 0).all()
    real = found.bboxes[found.mask]
    assert (real >= 0).all() and (real[:, [0, 2]] <= 80).all()
    assert (real[:, [1, 3]] <= 100).all()
    assert ((real[:, 2:] - real[:, :2]) >= smallest).all()
    assert (found.mask.long().diff(dim=1) <= 0).all()  # real ones first, best first
    assert (found.scores.masked_fill(~found.mask, -1).diff(dim=1) <= 0).all()


@check
@given(st.data(), st.integers(1, 8), st.floats(0, 1))
def test_targets_of_both_stages(data, num, fraction):
    found = data.draw(ordered(least=1))
    images = found.size(0)
    gt = truth_for(data, images)
    sizes = torch.tensor([[100.0, 80.0]]).expand(images, 2)
    sampler = AnchorTargetSampler(num=num, pos_fraction=fraction, allowed_border=-1)
    labels, deltas = sampler(found[0], gt, sizes, CODER)
    assert labels.shape == (images, found.size(1))
    assert ((labels >= 0).sum(1) <= num).all() and torch.isfinite(deltas).all()
    assert ((labels == 1).sum(1) <= int(num * fraction)).all()

    proposals = Proposals(found, torch.rand(found.shape[:2]), mask_for(data, found))
    sampler = ProposalTargetSampler(num=num, pos_fraction=fraction)
    samples = sampler(proposals, gt, 3, CODER)
    assert samples.bboxes.shape == (*samples.mask.shape, 4)
    assert samples.mask.size(1) <= num and torch.isfinite(samples.deltas).all()
    assert ((samples.labels >= 0) & (samples.labels <= 3)).all()
    positive = samples.mask & (samples.labels < 3)
    assert (positive.sum(1) <= int(num * fraction)).all()
    assert not positive[~gt.mask.any(1)].any()
