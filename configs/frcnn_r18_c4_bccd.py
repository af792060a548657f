# BCCD from scratch with ResNet-18: real images, within an hour on two CPU cores.
_base_ = './frcnn_r18_c4_shapes.py'

data_root = 'data/bccd'
classes = ('RBC', 'WBC', 'Platelets')
resize = dict(type='Resize', scale=(512, 384), keep_ratio=True)
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
test_pipeline = [
    dict(type='LoadImageFromFile'),
    resize,
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='PackDetInputs', meta_keys=(
        'img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')),
]
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
val_dataloader = dict(batch_size=4, dataset=dict(**data, pipeline=test_pipeline))
test_dataloader = dict(batch_size=4, dataset=dict(**data, pipeline=test_pipeline))

train_cfg = dict(max_iters=1500, val_interval=500)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=100),
    dict(
        type='CosineAnnealingLR', by_epoch=False, begin=100, end=1500, T_max=1400,
        eta_min=1e-6),
]
optim_wrapper = dict(optimizer=dict(lr=0.0005))
default_hooks = dict(checkpoint=dict(interval=500))
