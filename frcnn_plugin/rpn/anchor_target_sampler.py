"""What the RPN is trained on: which anchors, and towards which boxes."""

import torch
from torch import Tensor

from ..mmdet_bridge.targets import MMDetTargetSampler
from ..ops import BoxCoder, encode, gather_rows, inside_mask, match, subsample
from ..ops.matching import Matches, compare
from ..registry import TASK_UTILS
from ..structures import AnchorTargets, GroundTruth


@TASK_UTILS.register_module()
class AnchorTargetSampler(MMDetTargetSampler):
    """Labels anchors by IoU and samples a balanced subset of each image.

    An anchor is positive if its IoU with some box is at least ``pos_iou_thr``, or if it
    is the best anchor of a box; otherwise negative if its highest IoU is below
    ``neg_iou_thr``. Anchors that leave the image take no part. Other code bases call
    this ``AnchorTargetCreator`` (chainercv) or ``anchor_target_layer``
    (py-faster-rcnn). It also follows mmdet's ``assign`` and ``sample`` protocols, so
    that stock heads can name it as both assigner and sampler in ``train_cfg``.

    Source: Faster R-CNN (arXiv:1506.01497), sections 3.1.2 and 3.1.3.

    Args:
        num: Anchors per image; -1 keeps all that have a label.
        pos_fraction: The largest share of positives among them.
        pos_iou_thr: Positive from this IoU on.
        neg_iou_thr: Negative below this IoU; of a pair, where low <= IoU < high.
        neg_inclusive: Whether an IoU of exactly ``neg_iou_thr`` is negative too.
        allowed_border: Pixels by which an anchor may leave the image; negative: no
            limit. Stock heads use ``train_cfg.allowed_border`` instead.
        border_inclusive: Whether an anchor that ends exactly on the right or lower
            border is inside (chainercv, simple-faster-rcnn-pytorch) or not
            (py-faster-rcnn, mmdet).
        match_low_quality: Whether the best anchors of each box are positive.
        min_pos_iou: The lowest IoU at which they are; they never are at IoU 0.
        reassign_low_quality: Whether those aim at the box that they are the best of
            (mmdet) rather than at the box that they overlap most (the paper's code,
            detectron2, torchvision).
        offset: 1 if the last pixel of a box belongs to it, as in py-faster-rcnn.
        context: Given by stock mmdet heads; not used.
    """

    def __init__(self, num: int = 256, pos_fraction: float = 0.5,
                 pos_iou_thr: float = 0.7,
                 neg_iou_thr: float | tuple[float, float] = 0.3,
                 allowed_border: float = 0, match_low_quality: bool = True,
                 min_pos_iou: float = 0.0, reassign_low_quality: bool = False,
                 neg_inclusive: bool = False, offset: int = 0,
                 border_inclusive: bool = False, context: object = None) -> None:
        self.num = num
        self.pos_fraction = pos_fraction
        self.pos_iou_thr = pos_iou_thr
        low, high = ((0.0, neg_iou_thr) if isinstance(neg_iou_thr, int | float)
                     else neg_iou_thr)
        self.neg_iou_thr = (low, high)
        self.allowed_border = allowed_border
        self.match_low_quality = match_low_quality
        self.min_pos_iou = min_pos_iou
        self.reassign_low_quality = reassign_low_quality
        self.neg_inclusive = neg_inclusive
        self.offset = offset
        self.border_inclusive = border_inclusive
        self.compare = compare  # a faster one may take its place: accelerate/

    def __call__(self, anchors: Tensor, gt: GroundTruth, image_sizes: Tensor,
                 bbox_coder: BoxCoder, valid: Tensor | None = None) -> AnchorTargets:
        """Make the targets of a batch.

        Args:
            anchors: (N, 4) anchors of all levels, concatenated.
            gt: Padded ground truth.
            image_sizes: (B, 2) height and width of each image.
            bbox_coder: The coder whose deltas the head predicts.
            valid: (B, N) bool; False anchors take no part. Default: all may.
        """
        inside = inside_mask(anchors, image_sizes, self.allowed_border,
                             self.border_inclusive)
        valid = inside if valid is None else valid & inside
        matches = self.match(anchors, gt, valid)
        labels = subsample(matches.labels, self.num, self.pos_fraction)
        matched = gather_rows(gt.bboxes, matches.gt_indices)
        deltas = encode(bbox_coder, anchors.expand_as(matched), matched)
        deltas = torch.where((labels == 1).unsqueeze(-1), deltas, 0)
        return AnchorTargets(labels, deltas)

    def match(self, anchors: Tensor, gt: GroundTruth,
              valid: Tensor | None = None) -> Matches:
        """Labels before sampling, see :func:`frcnn_plugin.ops.match`."""
        return match(
            anchors, gt.bboxes, gt.mask, pos_iou_thr=self.pos_iou_thr,
            neg_iou_thr=self.neg_iou_thr, match_low_quality=self.match_low_quality,
            min_pos_iou=self.min_pos_iou,
            reassign_low_quality=self.reassign_low_quality,
            neg_inclusive=self.neg_inclusive, offset=self.offset, valid=valid,
            compare=self.compare)
