# The settings of mmdet's Faster R-CNN R50-C4, with the network in PyTorch's style, for
# its checkpoints and for comparisons (docs/interop.md); the schedule is ours and
# untried.
_base_ = [
    '../_base_/models/frcnn_r50_c4.py',
    '../_base_/datasets/voc0712_800.py',
    '../_base_/schedules/voc0712_110k.py',
    '../_base_/default_runtime.py',
]

model = dict(
    data_preprocessor=dict(pad_size_divisor=32),
    rpn_head=dict(
        feat_channels=1024,
        mask_padding=False,
        anchor_generator=dict(style='mmdet', scales=[2, 4, 8, 16, 32]),
        target_sampler=dict(
            allowed_border=-1, min_pos_iou=0.3, reassign_low_quality=True),
        proposal_creator=dict(
            test=dict(nms_pre=6000, max_per_img=1000), min_bbox_size=0),
        loss_cls=dict(use_sigmoid=True),
        loss_bbox=dict(_delete_=True, type='L1Loss')),
    roi_head=dict(
        target_sampler=dict(num=512),
        bbox_roi_extractor=dict(roi_layer=dict(type='RoIAlign')),
        bbox_head=dict(loss_bbox=dict(_delete_=True, type='L1Loss')),
        test_cfg=dict(nms=dict(iou_threshold=0.5))))
default_hooks = dict(accelerate=None)  # every bit as there
