# The settings of simple-faster-rcnn-pytorch, a VGG16 with those of chainercv except for
# poolings that round down, for its checkpoints and for comparisons (docs/interop.md);
# the schedule is ours and untried.
_base_ = [
    '../_base_/models/frcnn_vgg16.py',
    '../_base_/datasets/voc0712.py',
    '../_base_/schedules/voc0712_110k.py',
    '../_base_/default_runtime.py',
]

model = dict(
    data_preprocessor=dict(pad_size_divisor=1),
    backbone=dict(ceil_mode=False),
    rpn_head=dict(
        mask_padding=False,
        anchor_generator=dict(style='mmdet', center_offset=0.5),
        target_sampler=dict(border_inclusive=True),
        proposal_creator=dict(drop_small_first=True)),
    roi_head=dict(
        shared_head=dict(dropout=0.0),
        bbox_head=dict(reg_background=True),
        test_cfg=dict(max_per_img=-1)))
default_hooks = dict(accelerate=None)  # every bit as there
