"""Proposals -> detections: the second stage."""

from .bbox_head import BBoxHead
from .proposal_target_sampler import ProposalTargetSampler
from .region_cnn import RegionCNN
from .resnet_c5_head import ResNetC5Head
from .roi_head import RoIHead
from .roi_pool_extractor import RoIPoolExtractor
from .vgg16_fc_head import VGG16FCHead

__all__ = ['BBoxHead', 'ProposalTargetSampler', 'RegionCNN', 'ResNetC5Head', 'RoIHead',
           'RoIPoolExtractor', 'VGG16FCHead']
