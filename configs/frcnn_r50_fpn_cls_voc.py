# A small two-stage detector on p3 to p5 for 224x224 images. The RPN finds the boxes,
# the second stage only says what they are.
#
#     frcnn train frcnn_r50_fpn_cls_voc
#
# Needs what frcnn_r50_c4_voc.py needs. Not trained on VOC yet.
_base_ = './frcnn_r50_fpn_voc.py'

model = dict(
    data_preprocessor=dict(pad_size_divisor=224),
    backbone=dict(out_indices=(1, 2, 3)),
    neck=dict(in_channels=[512, 1024, 2048], out_channels=64, num_outs=3),
    rpn_head=dict(
        in_channels=64,
        feat_channels=64,
        predictor_kernel_size=3,
        anchor_generator=dict(
            _delete_=True,
            type='AnchorGenerator',
            style='area',
            strides=[8, 16, 32],
            ratios=[0.5, 1.0, 2.0],
            scales=[8.0]),
        target_sampler=dict(
            pos_iou_thr=0.6,
            neg_iou_thr=0.3,
            neg_inclusive=True,
            match_low_quality=False),
        proposal_creator=dict(
            train=dict(nms_pre=400, max_per_img=100),
            test=dict(nms_pre=400, max_per_img=100),
            min_bbox_size=0,
            score_thr=None,
            wh_ratio_clip=8 / 224),
        loss_bbox=dict(_delete_=True, type='L1Loss')),
    roi_head=dict(
        target_sampler=dict(num=128),
        bbox_roi_extractor=dict(
            roi_layer=dict(sampling_ratio=0, aligned=True),
            out_channels=64,
            featmap_strides=[8, 16, 32]),
        bbox_head=dict(
            in_channels=64, fc_channels=[1024], with_reg=False)))

scale = (224, 224)
_base_.train_pipeline[2].scale = scale
_base_.test_pipeline[1].scale = scale
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(batch_size=16, dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader

train_cfg = dict(max_iters=9000, val_interval=1500)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', by_epoch=False, milestones=[6000, 8000], gamma=0.1),
]
optim_wrapper = dict(optimizer=dict(lr=0.01, weight_decay=0.0001))
auto_scale_lr = dict(base_batch_size=16)
default_hooks = dict(checkpoint=dict(interval=1500))
