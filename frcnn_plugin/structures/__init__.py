"""The padded batches that flow between the stages, and mmdet's lists at the seams."""

from .padded import Detections, GroundTruth, Proposals, RoISamples, bbox2roi
from .seams import (
    image_sizes,
    instances_to_proposals,
    pack_ground_truth,
    proposals_to_instances,
    rescale_bboxes,
    unpack,
)

__all__ = ['Detections', 'GroundTruth', 'Proposals', 'RoISamples', 'bbox2roi',
           'image_sizes', 'instances_to_proposals', 'pack_ground_truth',
           'proposals_to_instances', 'rescale_bboxes', 'unpack']
