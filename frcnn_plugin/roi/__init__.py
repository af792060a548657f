"""Proposals -> detections: the second stage."""

from .bbox_head import BBoxHead
from .proposal_target_sampler import ProposalTargetSampler
from .resnet_c5_head import ResNetC5Head
from .roi_head import RoIHead
from .roi_pool_extractor import RoIPoolExtractor

__all__ = ['BBoxHead', 'ProposalTargetSampler', 'ResNetC5Head', 'RoIHead',
           'RoIPoolExtractor']
