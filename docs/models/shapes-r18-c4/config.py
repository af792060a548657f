classes = (
    'circle',
    'square',
    'triangle',
    'star',
)
command = 'frcnn train frcnn_r18_c4_shapes --work-dir work_dirs/shapes --seed 0'
custom_imports = dict(imports=[
    'frcnn_plugin',
])
data_root = 'data/shapes'
default_hooks = dict(
    accelerate=dict(type='AccelerateHook'),
    checkpoint=dict(
        by_epoch=False,
        interval=250,
        max_keep_ckpts=2,
        save_best='auto',
        type='CheckpointHook'),
    logger=dict(interval=20, log_metric_by_epoch=False, type='LoggerHook'),
    operating_points=dict(type='OperatingPointsHook'),
    param_scheduler=dict(type='ParamSchedulerHook'),
    report=dict(type='ReportHook'),
    run_record=dict(type='RunRecordHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    timer=dict(type='IterTimerHook'),
    visualization=dict(max_pictures=16, score_thr=0.5, type='PicturesHook'))
default_scope = 'frcnn_plugin'
env_cfg = dict(
    cudnn_benchmark=False,
    dist_cfg=dict(backend='nccl'),
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
launcher = 'none'
load_from = None
log_level = 'INFO'
log_processor = dict(by_epoch=False, type='LogProcessor', window_size=50)
model = dict(
    backbone=dict(depth=18, norm_eval=False, type='ResNetC4'),
    data_preprocessor=dict(
        bgr_to_rgb=True,
        mean=[
            123.675,
            116.28,
            103.53,
        ],
        pad_size_divisor=32,
        std=[
            58.395,
            57.12,
            57.375,
        ],
        type='DetDataPreprocessor'),
    roi_head=dict(
        bbox_head=dict(
            fc_channels=[
                256,
                256,
            ],
            in_channels=256,
            num_classes=4,
            roi_feat_size=5,
            type='BBoxHead',
            with_avg_pool=False),
        bbox_roi_extractor=dict(
            featmap_strides=[
                16,
            ],
            out_channels=256,
            roi_layer=dict(output_size=5, type='RoIAlign'),
            type='RoIPoolExtractor'),
        target_sampler=dict(num=32, type='ProposalTargetSampler'),
        type='RoIHead'),
    rpn_head=dict(
        anchor_generator=dict(
            center_offset=0.5,
            ratios=[
                0.5,
                1.0,
                2.0,
            ],
            scales=[
                1.5,
                2.5,
                4.0,
            ],
            strides=[
                16,
            ],
            type='AnchorGenerator'),
        feat_channels=256,
        in_channels=256,
        proposal_creator=dict(
            min_bbox_size=4,
            test=dict(max_per_img=100, nms_pre=600),
            train=dict(max_per_img=200, nms_pre=600),
            type='ProposalCreator'),
        target_sampler=dict(
            allowed_border=-1,
            min_pos_iou=0.3,
            num=128,
            type='AnchorTargetSampler'),
        type='RPNHead'),
    type='FasterRCNN')
optim_wrapper = dict(
    clip_grad=dict(max_norm=10),
    optimizer=dict(lr=0.001, type='AdamW', weight_decay=0.05),
    type='OptimWrapper')
param_scheduler = [
    dict(begin=0, by_epoch=False, end=50, start_factor=0.1, type='LinearLR'),
    dict(
        T_max=450,
        begin=50,
        by_epoch=False,
        end=500,
        eta_min=1e-06,
        type='CosineAnnealingLR'),
]
randomness = dict(seed=0)
resume = False
scale = None
test_cfg = dict(type='TestLoop')
test_dataloader = dict(
    batch_size=16,
    dataset=dict(
        data_root='data/shapes',
        folders=[
            'VOC2007',
        ],
        metainfo=dict(classes=(
            'circle',
            'square',
            'triangle',
            'star',
        )),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(scale_factor=1.0, type='Resize'),
            dict(type='LoadAnnotations', with_bbox=True),
            dict(
                meta_keys=(
                    'img_id',
                    'img_path',
                    'ori_shape',
                    'img_shape',
                    'scale_factor',
                ),
                type='PackDetInputs'),
        ],
        split='test',
        test_mode=True,
        type='VOCFolder'),
    drop_last=False,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(shuffle=False, type='DefaultSampler'))
test_evaluator = [
    dict(eval_mode='area', metric='mAP', type='VOCMetric'),
    dict(type='BoxAP'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(scale_factor=1.0, type='Resize'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        meta_keys=(
            'img_id',
            'img_path',
            'ori_shape',
            'img_shape',
            'scale_factor',
        ),
        type='PackDetInputs'),
]
train_cfg = dict(max_iters=500, type='IterBasedTrainLoop', val_interval=250)
train_dataloader = dict(
    batch_sampler=dict(type='AspectRatioBatchSampler'),
    batch_size=16,
    dataset=dict(
        data_root='data/shapes',
        filter_cfg=dict(filter_empty_gt=True, min_size=16),
        folders=[
            'VOC2007',
            'VOC2012',
        ],
        metainfo=dict(classes=(
            'circle',
            'square',
            'triangle',
            'star',
        )),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations', with_bbox=True),
            dict(
                direction=[
                    'horizontal',
                    'vertical',
                    'diagonal',
                ],
                prob=[
                    0.25,
                    0.25,
                    0.25,
                ],
                type='RandomFlip'),
            dict(
                meta_keys=(
                    'img_id',
                    'img_path',
                    'ori_shape',
                    'img_shape',
                    'scale_factor',
                ),
                type='PackDetInputs'),
        ],
        split='train',
        type='VOCFolder'),
    num_workers=2,
    persistent_workers=True,
    sampler=dict(shuffle=True, type='InfiniteSampler'))
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        direction=[
            'horizontal',
            'vertical',
            'diagonal',
        ],
        prob=[
            0.25,
            0.25,
            0.25,
        ],
        type='RandomFlip'),
    dict(
        meta_keys=(
            'img_id',
            'img_path',
            'ori_shape',
            'img_shape',
            'scale_factor',
        ),
        type='PackDetInputs'),
]
val_cfg = dict(type='ValLoop')
val_dataloader = dict(
    batch_size=16,
    dataset=dict(
        data_root='data/shapes',
        folders=[
            'VOC2007',
        ],
        metainfo=dict(classes=(
            'circle',
            'square',
            'triangle',
            'star',
        )),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(scale_factor=1.0, type='Resize'),
            dict(type='LoadAnnotations', with_bbox=True),
            dict(
                meta_keys=(
                    'img_id',
                    'img_path',
                    'ori_shape',
                    'img_shape',
                    'scale_factor',
                ),
                type='PackDetInputs'),
        ],
        split='val',
        test_mode=True,
        type='VOCFolder'),
    drop_last=False,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(shuffle=False, type='DefaultSampler'))
val_evaluator = [
    dict(eval_mode='area', metric='mAP', type='VOCMetric'),
    dict(type='BoxAP'),
]
visualizer = dict(
    type='DetLocalVisualizer', vis_backends=[
        dict(type='LocalVisBackend'),
    ])
work_dir = 'work_dirs/shapes'
