# The settings of torchvision's fasterrcnn_resnet50_fpn, for its checkpoints and for
# comparisons (docs/interop.md); the schedule is ours and untried.
_base_ = [
    '../_base_/models/frcnn_r50_fpn.py',
    '../_base_/datasets/voc0712_800.py',
    '../_base_/schedules/voc0712_110k.py',
    '../_base_/default_runtime.py',
]

model = dict(
    rpn_head=dict(
        mask_padding=False,
        anchor_generator=dict(fit_strides=True)),
    roi_head=dict(
        bbox_head=dict(reg_background=True),
        test_cfg=dict(min_bbox_size=0.01)))
default_hooks = dict(accelerate=None)  # every bit as there
