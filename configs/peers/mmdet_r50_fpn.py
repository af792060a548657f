# The settings of mmdet's faster-rcnn_r50_fpn, for its checkpoints and for comparisons
# (docs/interop.md); the schedule is ours and untried.
_base_ = [
    '../_base_/models/frcnn_r50_fpn.py',
    '../_base_/datasets/voc0712_800.py',
    '../_base_/schedules/voc0712_110k.py',
    '../_base_/default_runtime.py',
]

model = dict(
    rpn_head=dict(
        mask_padding=False,
        anchor_generator=dict(
            _delete_=True,
            type='AnchorGenerator',
            strides=[4, 8, 16, 32, 64],
            ratios=[0.5, 1.0, 2.0],
            scales=[8]),
        target_sampler=dict(min_pos_iou=0.3, reassign_low_quality=True),
        proposal_creator=dict(
            train=dict(nms_pre=2000, max_per_img=1000),
            test=dict(nms_pre=1000, max_per_img=1000),
            min_bbox_size=0,
            score_thr=None),
        loss_bbox=dict(_delete_=True, type='L1Loss')),
    roi_head=dict(
        bbox_roi_extractor=dict(roi_layer=dict(sampling_ratio=0, aligned=True)),
        bbox_head=dict(loss_bbox=dict(_delete_=True, type='L1Loss'))))
default_hooks = dict(accelerate=None)  # every bit as there
