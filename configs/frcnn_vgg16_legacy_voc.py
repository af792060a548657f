# VGG16 in the box convention of py-faster-rcnn: the last pixel of a box belongs to it,
# so that it is x2 - x1 + 1 pixels wide, in coding, IoU, clipping and suppression.
#
#     frcnn train frcnn_vgg16_legacy_voc
#
# Needs what frcnn_r50_c4_voc.py needs. Not trained on VOC yet.
_base_ = './frcnn_vgg16_voc.py'

model = dict(
    rpn_head=dict(
        bbox_coder=dict(type='LegacyDeltaXYWHBBoxCoder'),
        target_sampler=dict(offset=1),
        proposal_creator=dict(offset=1, drop_small_first=True)),
    roi_head=dict(
        target_sampler=dict(offset=1),
        bbox_head=dict(
            bbox_coder=dict(type='LegacyDeltaXYWHBBoxCoder'), reg_background=True),
        test_cfg=dict(nms=dict(offset=1))))
