"""Functions over tensors: dense, padded, masked, without state or loops over images.

The letters of the axes are the same everywhere: B images, N anchors (or any boxes), G
boxes of ground truth (padded), P proposals, S sampled RoIs, C classes (or channels of a
map), K anchors per position, R RoIs of all images in one list, L levels. Boxes are
(x1, y1, x2, y2) in pixels of the network's input.
"""

from .boxes import (
    BoxCoder,
    box_iou,
    clip_bboxes,
    decode,
    encode,
    gather_rows,
    inside_mask,
)
from .losses import check_delta_loss, count_samples, masked_mean
from .matching import match
from .sampling import random_subset, subsample
from .suppression import at_most, masked_nms, masked_topk, nms_settings

__all__ = ['BoxCoder', 'at_most', 'box_iou', 'check_delta_loss', 'clip_bboxes',
           'count_samples', 'decode', 'encode', 'gather_rows', 'inside_mask',
           'masked_mean', 'masked_nms', 'masked_topk', 'match', 'nms_settings',
           'random_subset', 'subsample']
