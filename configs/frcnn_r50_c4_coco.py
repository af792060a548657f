# The C4 detector on COCO, as detectron2 and mmdet train it: fifteen anchors that may
# leave the image, one sigmoid each, RoIAlign.
#
#     frcnn train frcnn_r50_c4_coco
#
# Needs COCO 2017 in data/coco, torchvision's ImageNet weights, which are downloaded,
# and GPUs: 90000 steps of 16 images. Not trained on COCO yet.
_base_ = [
    './_base_/models/frcnn_r50_c4.py',
    './_base_/datasets/coco.py',
    './_base_/schedules/coco_1x.py',
    './_base_/default_runtime.py',
]

model = dict(
    rpn_head=dict(
        feat_channels=1024,
        anchor_generator=dict(style='mmdet', scales=[2, 4, 8, 16, 32]),
        target_sampler=dict(allowed_border=-1),
        proposal_creator=dict(
            test=dict(nms_pre=6000, max_per_img=1000), min_bbox_size=0),
        loss_cls=dict(use_sigmoid=True),
        loss_bbox=dict(_delete_=True, type='L1Loss')),
    roi_head=dict(
        target_sampler=dict(num=512),
        bbox_roi_extractor=dict(roi_layer=dict(type='RoIAlign')),
        bbox_head=dict(num_classes=80, loss_bbox=dict(_delete_=True, type='L1Loss')),
        test_cfg=dict(nms=dict(iou_threshold=0.5))))
