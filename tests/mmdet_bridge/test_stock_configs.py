"""Stock configs of mmdet, which want compiled operators, take a step and detect."""

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.testing import demo_mm_inputs
from mmengine.hub import get_config
from mmengine.registry import DefaultScope

STOCK = [
    'faster_rcnn/faster-rcnn_r50_fpn_1x_coco',
    'cascade_rcnn/cascade-rcnn_r50_fpn_1x_coco',
    'mask_rcnn/mask-rcnn_r50_fpn_1x_coco', 'retinanet/retinanet_r50_fpn_1x_coco',
    'fcos/fcos_r50-caffe_fpn_gn-head_1x_coco',
    'dcn/faster-rcnn_r50-dconv-c3-c5_fpn_1x_coco',
    'dcnv2/mask-rcnn_r50-mdconv-c3-c5_fpn_1x_coco']


@pytest.mark.parametrize('name', [
    pytest.param(name, marks=[pytest.mark.long] * (
        'mask' in name or 'cascade' in name))
    for name in STOCK])
def test_a_step_and_a_detection(name):
    cfg = get_config(f'mmdet::{name}.py').model
    cfg.backbone.init_cfg = None
    with DefaultScope.overwrite_default_scope('mmdet'):
        detector = MODELS.build(cfg)
        data = detector.data_preprocessor(demo_mm_inputs(
            1, [[3, 96, 96]], num_classes=80, with_mask='mask' in name), training=True)
        loss, _ = detector.parse_losses(detector(**data, mode='loss'))
        loss.backward()
        assert loss.isfinite()
        assert all(each.grad is None or each.grad.isfinite().all()
                   for each in detector.parameters())
        with torch.no_grad():
            found, = detector.eval()(**data, mode='predict')
    assert found.pred_instances.bboxes.shape[1] == 4
