"""From the RPN's outputs for every anchor to a few hundred proposals."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..ops import (
    BoxCoder,
    at_most,
    clip_bboxes,
    decode,
    gather_rows,
    masked_nms,
    masked_topk,
)
from ..registry import TASK_UTILS
from ..structures import Proposals

TRAIN = dict(nms_pre=12000, max_per_img=2000)
TEST = dict(nms_pre=6000, max_per_img=300)


@TASK_UTILS.register_module()
class ProposalCreator:
    """Top scores, decode, clip, drop small, suppress, top scores again.

    The top ``nms_pre`` are taken, and boxes suppressed, within each level. Other code
    bases call this ``proposal_layer`` (py-faster-rcnn), ``filter_proposals``
    (torchvision) or ``find_top_rpn_proposals`` (detectron2).

    Source: Faster R-CNN (arXiv:1506.01497), section 3.3; the numbers of proposals in
    training and test are those of py-faster-rcnn.

    Args:
        nms_iou_thr: A proposal is suppressed above this IoU with a better one.
        train: Limits in training: ``nms_pre``, boxes of each level that enter the
            suppression (12000), and ``max_per_img``, proposals of an image (2000);
            -1 is no limit. It may override ``nms_iou_thr`` and ``min_bbox_size``.
        test: The same in test (6000 and 300).
        min_bbox_size: Proposals with a shorter side are dropped, in pixels of the
            network's input.
        score_thr: Proposals with a lower objectness are dropped; None drops none.
        wh_ratio_clip: A proposal's sides are at most 1 / ``wh_ratio_clip`` times its
            anchor's, and at least ``wh_ratio_clip`` times with mmdet's coders. Default:
            the coder's, 16 / 1000 in mmdet.
        offset: 1 if the last pixel of a box belongs to it, as in py-faster-rcnn.
        drop_small_first: Whether small proposals are dropped before the top ``nms_pre``
            are taken (py-faster-rcnn, chainercv), so that others move up, or after
            (mmdet, torchvision, detectron2), so that only these have to be decoded.
    """

    def __init__(self, nms_iou_thr: float = 0.7, train: dict | None = None,
                 test: dict | None = None, min_bbox_size: float = 16,
                 score_thr: float | None = None, wh_ratio_clip: float | None = None,
                 offset: int = 0, drop_small_first: bool = False) -> None:
        self.nms_iou_thr = nms_iou_thr
        self.train = {**TRAIN, **(train or {})}
        self.test = {**TEST, **(test or {})}
        self.min_bbox_size = min_bbox_size
        self.score_thr = score_thr
        self.wh_ratio_clip = wh_ratio_clip
        self.offset = offset
        self.drop_small_first = drop_small_first
        self.nms = masked_nms  # a faster one may take its place: accelerate/

    def __call__(self, objectness: Tensor, bbox_deltas: Tensor, anchors: Tensor,
                 image_sizes: Tensor, bbox_coder: BoxCoder, training: bool = False,
                 level_sizes: Sequence[int] | None = None,
                 ranks: Tensor | None = None) -> Proposals:
        """Select the proposals of a batch.

        Args:
            objectness: (B, N) scores; -inf or NaN is never a proposal.
            bbox_deltas: (B, N, 4) deltas.
            anchors: (N, 4) anchors.
            image_sizes: (B, 2) height and width of each image.
            bbox_coder: The coder of the deltas.
            training: Whether the numbers for training apply.
            level_sizes: Anchors of each level, which sum to N. Default: one level.
            ranks: (B, N) values to sort by, such as logits, which still differ where
                two probabilities round to 1. Default: ``objectness``.

        Returns:
            Proposals: P = ``max_per_img`` rows per image (fewer where there are fewer
            candidates), best first; without a gradient.
        """
        limits: dict = {
            'nms_iou_thr': self.nms_iou_thr, 'min_bbox_size': self.min_bbox_size,
            **(self.train if training else self.test)}
        level_sizes = list(level_sizes or [objectness.size(1)])
        # gradients stop here: proposals are fixed boxes to the second stage
        objectness, bbox_deltas = objectness.detach().float(), bbox_deltas.detach()
        ranks = objectness if ranks is None else torch.where(
            torch.isfinite(objectness), ranks.detach().float(), float('-inf'))

        if self.drop_small_first:
            everything = self._decode(
                bbox_coder, anchors.expand_as(bbox_deltas), bbox_deltas, image_sizes)
            large = self._large_enough(everything, limits['min_bbox_size'])
            ranks = ranks.masked_fill(~large, float('-inf'))
        indices, levels = top_per_level(ranks, level_sizes, limits['nms_pre'])
        scores, ranks = objectness.gather(1, indices), ranks.gather(1, indices)
        bboxes = self._decode(
            bbox_coder, anchors[indices], gather_rows(bbox_deltas, indices),
            image_sizes)
        mask = (self._large_enough(bboxes, limits['min_bbox_size'])
                & torch.isfinite(scores))
        if self.score_thr is not None:
            mask = mask & (scores >= self.score_thr)
        groups = levels if len(level_sizes) > 1 else None
        mask = self.nms(bboxes, ranks, mask, limits['nms_iou_thr'], groups, self.offset,
                        limits['max_per_img'])
        indices, mask = masked_topk(ranks, mask, limits['max_per_img'])
        return Proposals(
            torch.where(mask.unsqueeze(-1), gather_rows(bboxes, indices), 0),
            torch.where(mask, scores.gather(1, indices), 0), mask)

    def _decode(self, bbox_coder: BoxCoder, anchors: Tensor, bbox_deltas: Tensor,
                image_sizes: Tensor) -> Tensor:
        bboxes = decode(bbox_coder, anchors, bbox_deltas, self.wh_ratio_clip)
        return clip_bboxes(bboxes, image_sizes, self.offset)

    def _large_enough(self, bboxes: Tensor, min_bbox_size: float) -> Tensor:
        size = (bboxes[..., 2:] - bboxes[..., :2]).amin(-1) + self.offset
        return (size >= min_bbox_size) & (size > 0)


def top_per_level(scores: Tensor, level_sizes: Sequence[int],
                  num: int) -> tuple[Tensor, Tensor]:
    """The best ``num`` of the (B, N) scores of each level; all if not positive.

    Returns:
        tuple: (B, M) indices into N, and (M,) the level of each column.
    """
    indices, levels, start = [], [], 0
    for level, part in enumerate(scores.split(list(level_sizes), dim=1)):
        count = at_most(num, part.size(1))
        indices.append(part.topk(count, dim=1).indices + start)
        levels.append(torch.full((count,), level, device=scores.device))
        start += part.size(1)
    return torch.cat(indices, dim=1), torch.cat(levels)
