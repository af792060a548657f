# The settings of bubbliiiing's faster-rcnn-pytorch with ResNet-50, for its checkpoints
# and for comparisons (docs/interop.md); the schedule is ours and untried.
_base_ = [
    '../_base_/models/frcnn_r50_c4.py',
    '../_base_/datasets/voc0712.py',
    '../_base_/schedules/voc0712_110k.py',
    '../_base_/default_runtime.py',
]

model = dict(
    data_preprocessor=dict(
        mean=[0.0, 0.0, 0.0], std=[255.0, 255.0, 255.0], pad_size_divisor=1),
    backbone=dict(style='caffe', ceil_pool=True),
    rpn_head=dict(
        mask_padding=False,
        anchor_generator=dict(
            style='mmdet', center_offset=0.0, ratios=[2.0, 1.0, 0.5]),
        target_sampler=dict(allowed_border=-1, reassign_low_quality=True),
        proposal_creator=dict(
            train=dict(nms_pre=12000, max_per_img=600),
            test=dict(nms_pre=3000, max_per_img=300),
            drop_small_first=True),
        loss_bbox=dict(beta=1.0)),
    roi_head=dict(
        target_sampler=dict(pos_fraction=0.5),
        shared_head=dict(style='caffe'),
        bbox_head=dict(
            reg_background=True, bbox_coder=dict(clip_border=False)),
        test_cfg=dict(max_per_img=-1)))
default_hooks = dict(accelerate=None)  # every bit as there
