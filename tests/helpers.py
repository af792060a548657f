"""Builders that tests of several stages use."""

import copy

import cv2
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.structures import InstanceData

needs_contrib = pytest.mark.skipif(
    not hasattr(cv2, 'ximgproc'), reason='this OpenCV is built without contrib')

BACKBONE = dict(type='ResNetC4', depth=18, norm_eval=True)
ANCHORS = dict(type='AnchorGenerator', strides=[16], ratios=[0.5, 1.0, 2.0],
               scales=[2, 4, 8])
RPN_HEAD = dict(
    type='RPNHead', in_channels=256, feat_channels=32, anchor_generator=ANCHORS,
    target_sampler=dict(type='AnchorTargetSampler', num=64, allowed_border=-1),
    proposal_creator=dict(
        type='ProposalCreator', train=dict(nms_pre=200, max_per_img=50),
        test=dict(nms_pre=200, max_per_img=20), min_bbox_size=0))
ROI_HEAD = dict(
    type='RoIHead',
    target_sampler=dict(type='ProposalTargetSampler', num=16),
    bbox_roi_extractor=dict(
        type='RoIPoolExtractor', roi_layer=dict(type='RoIPool', output_size=14),
        out_channels=256, featmap_strides=[16]),
    shared_head=dict(type='ResNetC5Head', depth=18),
    bbox_head=dict(type='BBoxHead', num_classes=3, in_channels=512))


def tiny_detector(**changes) -> Config:
    """The config of a small C4 detector; keywords replace its parts."""
    parts = dict(type='FasterRCNN', backbone=BACKBONE, rpn_head=RPN_HEAD,
                 roi_head=ROI_HEAD)
    parts.update(changes)
    return Config(copy.deepcopy(dict(model=parts))).model


def few_regions(cfg: Config) -> Config:
    """The same with 4 regions an image: half precision is emulated on some CPUs."""
    cfg.roi_head.target_sampler.num = 4
    cfg.rpn_head.proposal_creator.test.max_per_img = 4
    return cfg


def random_boxes(num: int, width: float = 160, height: float = 128) -> torch.Tensor:
    """(num, 4) boxes inside an image, at least 8 pixels wide and high."""
    scale = torch.tensor([width - 8, height - 8])
    a, b = torch.rand(num, 2) * scale, torch.rand(num, 2) * scale
    return torch.cat([torch.minimum(a, b), torch.maximum(a, b) + 8], dim=1)


def make_samples(counts, num_classes: int = 3, size=(128, 160)) -> list[DetDataSample]:
    """One data sample for each count of boxes."""
    samples = []
    for count in counts:
        sample = DetDataSample(metainfo=dict(
            img_shape=size, ori_shape=size, pad_shape=size, batch_input_shape=size,
            scale_factor=(1.0, 1.0)))
        sample.gt_instances = InstanceData(
            bboxes=random_boxes(count, size[1], size[0]),
            labels=torch.randint(num_classes, (count,)))
        sample.ignored_instances = InstanceData(
            bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long))
        samples.append(sample)
    return samples


def total(losses: dict) -> torch.Tensor:
    """The sum that training minimises."""
    parts = []
    for name, value in losses.items():
        if 'loss' in name:
            parts += value if isinstance(value, list) else [value]
    return sum(parts)
