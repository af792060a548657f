# BCCD from scratch with ResNet-18: real images on a CPU.
#
#     frcnn train frcnn_r18_c4_bccd --data-root bccd --seed 0
#     frcnn test frcnn_r18_c4_bccd work_dirs/frcnn_r18_c4_bccd/iter_1500.pth \
#         --data-root bccd
#
# Needs BCCD (github.com/Shenggan/BCCD_Dataset), no weights and no GPU. 23 min on 2 CPU
# cores while other jobs ran, 1500 steps of 4 images; mAP 0.907 on the 72 test images
# (docs/results.md).
_base_ = './frcnn_r18_c4_shapes.py'

data_root = 'data/bccd'
classes = ('RBC', 'WBC', 'Platelets')
scale = (512, 384)
resize = dict(type='Resize', scale=scale, keep_ratio=True)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    resize,
    dict(
        type='RandomFlip', prob=[0.25, 0.25, 0.25],
        direction=['horizontal', 'vertical', 'diagonal']),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackDetInputs'),
]
_base_.test_pipeline[1] = resize
data = dict(data_root=data_root, metainfo=dict(classes=classes))

model = dict(
    rpn_head=dict(anchor_generator=dict(scales=[2.0, 5.0, 10.0])),
    roi_head=dict(
        target_sampler=dict(num=64),
        bbox_roi_extractor=dict(roi_layer=dict(output_size=7)),
        bbox_head=dict(num_classes=3, roi_feat_size=7),
        test_cfg=dict(
            score_thr=0.05,
            nms=dict(type='nms', iou_threshold=0.5),
            max_per_img=100)))

train_dataloader = dict(batch_size=4, dataset=dict(**data, pipeline=train_pipeline))
val_dataloader = dict(batch_size=4, dataset=dict(**data, pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader

train_cfg = dict(max_iters=1500, val_interval=500)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=100),
    dict(
        type='CosineAnnealingLR', by_epoch=False, begin=100, end=1500, T_max=1400,
        eta_min=1e-6),
]
optim_wrapper = dict(optimizer=dict(lr=0.0005))
default_hooks = dict(checkpoint=dict(interval=500))
