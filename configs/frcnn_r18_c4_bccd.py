# BCCD from scratch with ResNet-18: real images, within an hour on two CPU cores.
_base_ = [
    './_base_/models/frcnn_r18_c4.py',
    './_base_/datasets/voc0712.py',
    './_base_/default_runtime.py',
]

data_root = 'data/bccd'
classes = ('RBC', 'WBC', 'Platelets')
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='Resize', scale=(512, 384), keep_ratio=True),
    dict(
        type='RandomFlip', prob=[0.25, 0.25, 0.25],
        direction=['horizontal', 'vertical', 'diagonal']),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackDetInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(512, 384), keep_ratio=True),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')),
]

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

train_dataloader = dict(batch_size=4, dataset=dict(
    data_root=data_root, split='train', metainfo=dict(classes=classes),
    pipeline=train_pipeline))
val_dataloader = dict(batch_size=4, dataset=dict(
    data_root=data_root, split='val', metainfo=dict(classes=classes),
    pipeline=test_pipeline))
test_dataloader = dict(batch_size=4, dataset=dict(
    data_root=data_root, split='test', metainfo=dict(classes=classes),
    pipeline=test_pipeline))
val_evaluator = dict(type='VOCMetric', metric='mAP', eval_mode='area')
test_evaluator = val_evaluator

train_cfg = dict(type='IterBasedTrainLoop', max_iters=1500, val_interval=500)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=100),
    dict(
        type='CosineAnnealingLR', by_epoch=False, begin=100, end=1500, T_max=1400,
        eta_min=1e-6),
]
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=0.0005, weight_decay=0.05),
    clip_grad=dict(max_norm=10))
default_hooks = dict(
    checkpoint=dict(interval=500),
    visualization=dict(max_pictures=16))
