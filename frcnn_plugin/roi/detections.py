"""From scores and deltas of every region to detections."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..ops import (
    BoxCoder,
    clip_bboxes,
    decode,
    gather_rows,
    masked_nms,
    masked_topk,
    nms_settings,
)
from ..structures import Detections, Proposals


def detections_of(cls_score: Tensor, bbox_pred: Tensor | None, proposals: Proposals,
                  image_sizes: Tensor, bbox_coder: BoxCoder, num_classes: int,
                  cfg: dict, nms: Callable[..., Tensor] = masked_nms) -> Detections:
    """The head's outputs for every proposal as detections.

    Arguments are those of :func:`decode_predictions`, then of
    :func:`select_detections`.
    """
    scores, bboxes = decode_predictions(
        cls_score, bbox_pred, proposals.bboxes, image_sizes, bbox_coder, num_classes,
        cfg['nms'].get('offset', 0))
    return select_detections(scores, bboxes, proposals.mask, cfg, nms)


def decode_predictions(cls_score: Tensor, bbox_pred: Tensor | None, bboxes: Tensor,
                       image_sizes: Tensor, bbox_coder: BoxCoder, num_classes: int,
                       offset: int = 0) -> tuple[Tensor, Tensor]:
    """Probabilities, and one refined box for each class.

    Args:
        cls_score: (B, P, C + 1) logits, the background last.
        bbox_pred: (B, P, 4 C), (B, P, 4 C + 4) with unused ones for the background, or
            (B, P, 4) deltas; None leaves the boxes as they are.
        bboxes: (B, P, 4) proposals.
        image_sizes: (B, 2) height and width of each image.
        bbox_coder: The coder of the deltas; one of mmdet's with ``clip_border=False``
            leaves boxes outside of the image as they are.
        num_classes: C.
        offset: 1 if the last pixel of a box belongs to it.

    Returns:
        tuple: (B, P, C) probabilities and (B, P, C, 4) boxes, clipped to the image.
    """
    scores = cls_score.float().softmax(-1)[..., :num_classes]
    if bbox_pred is not None:
        bboxes = decode(bbox_coder, bboxes, bbox_pred[..., :4 * num_classes])
    bboxes = bboxes.unflatten(-1, (-1, 4)).expand(-1, -1, num_classes, -1)
    if getattr(bbox_coder, 'clip_border', True):
        bboxes = clip_bboxes(bboxes, image_sizes, offset)
    return scores, bboxes


def select_detections(scores: Tensor, bboxes: Tensor, mask: Tensor, cfg: dict,
                      nms: Callable[..., Tensor] = masked_nms) -> Detections:
    """Drop low scores, suppress within each class, keep the best of each image.

    Source: Fast R-CNN (arXiv:1504.08083), section 3.

    Args:
        scores: (B, P, C) probabilities.
        bboxes: (B, P, C, 4) boxes.
        mask: (B, P) bool; which rows are proposals at all.
        cfg: mmdet's ``test_cfg.rcnn``: ``score_thr`` (scores must be above it),
            ``nms.iou_threshold``, ``nms.offset`` (0) and ``max_per_img`` (-1: all);
            also ``min_bbox_size``, the least width and height in pixels (0.01 in
            torchvision; default: no limit).
        nms: How boxes are suppressed.

    Returns:
        Detections: D = ``max_per_img`` rows per image, best first; P * C rows if that
        is fewer, or if there is no limit.

    Raises:
        ValueError: If ``cfg['nms']`` names another kind than plain NMS.
    """
    iou_thr, offset = nms_settings(cfg['nms'])
    num_classes, num = scores.size(-1), cfg.get('max_per_img', -1)
    labels = torch.arange(num_classes, device=scores.device).repeat(scores.size(1))
    mask = (mask.unsqueeze(-1) & (scores > cfg['score_thr'])).flatten(1)
    scores, bboxes = scores.flatten(1), bboxes.flatten(1, 2)
    if cfg.get('min_bbox_size'):
        sides = bboxes[..., 2:] - bboxes[..., :2]
        mask = mask & (sides.amin(-1) >= cfg['min_bbox_size'])
    mask = nms(bboxes, scores, mask, iou_thr, labels, offset, num)
    indices, mask = masked_topk(scores, mask, num)
    return Detections(
        torch.where(mask.unsqueeze(-1), gather_rows(bboxes, indices), 0),
        torch.where(mask, scores.gather(1, indices), 0),
        torch.where(mask, labels[indices], 0), mask)
