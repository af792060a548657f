"""Functions over tensors: dense, padded, masked, without state or loops over images.

The letters of the axes are the same everywhere: B images, N anchors, G boxes of ground
truth (padded), P proposals, S sampled RoIs, C classes, K anchors a position, R RoIs of
all images in one row, L levels. Boxes are (x1, y1, x2, y2) in pixels of the network's
input.
"""

from .boxes import box_iou, clip_bboxes, decode, encode, inside_mask, select
from .losses import count_samples, masked_mean
from .matching import match
from .nms import keep_best, masked_nms, smaller
from .sampling import choose, sample

__all__ = ['box_iou', 'choose', 'clip_bboxes', 'count_samples', 'decode', 'encode',
           'inside_mask', 'keep_best', 'masked_mean', 'masked_nms', 'match', 'sample',
           'select', 'smaller']
