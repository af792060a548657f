classes = (
    'RBC',
    'WBC',
    'Platelets',
)
command = 'frcnn train bccd --minutes 10 --amp --seed 0 --from-scratch'
custom_hooks = [
    dict(momentum=0.01, type='EMAHook', update_buffers=True),
]
custom_imports = dict(imports=[
    'frcnn_plugin',
])
data_digest = 'b53b1c495b148155'
data_root = 'bccd'
default_hooks = dict(
    accelerate=dict(type='AccelerateHook'),
    checkpoint=dict(
        by_epoch=False,
        interval=239,
        max_keep_ckpts=1,
        rule='greater',
        save_best='coco/AP',
        type='CheckpointHook'),
    detector_file=dict(type='DetectorFileHook'),
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
        batch_augments=[
            dict(
                divisor=32,
                scales=(
                    0.5,
                    0.8,
                ),
                type='BatchRandomScale',
                until=(
                    0.85,
                    1.25,
                )),
        ],
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
            num_classes=3,
            roi_feat_size=7,
            type='BBoxHead',
            with_avg_pool=False),
        bbox_roi_extractor=dict(
            featmap_strides=[
                16,
            ],
            out_channels=256,
            roi_layer=dict(output_size=7, type='RoIAlign'),
            type='RoIPoolExtractor'),
        target_sampler=dict(num=64, type='ProposalTargetSampler'),
        test_cfg=dict(
            max_per_img=112,
            nms=dict(iou_threshold=0.5, type='nms'),
            score_thr=0.02),
        type='RoIHead'),
    rpn_head=dict(
        anchor_generator=dict(
            center_offset=0.5,
            ratios=[
                0.469,
                0.933,
                1.86,
            ],
            scales=[
                2.48125,
                4.66875,
                8.7875,
            ],
            strides=[
                16,
            ],
            type='AnchorGenerator'),
        feat_channels=256,
        in_channels=256,
        proposal_creator=dict(
            min_bbox_size=4,
            test=dict(max_per_img=112, nms_pre=1000),
            train=dict(max_per_img=224, nms_pre=1000),
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
    type='frcnn_plugin.BF16OptimWrapper')
param_scheduler = None
randomness = dict(seed=0)
recipe_id = '209f3912256d4d498ba4545fb37bac91'
resume = False
test_cfg = dict(type='TestLoop')
test_dataloader = dict(
    batch_size=4,
    dataset=dict(
        data_root='bccd',
        folders=[
            'VOC2007',
        ],
        metainfo=dict(classes=(
            'RBC',
            'WBC',
            'Platelets',
        )),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(keep_ratio=True, scale=(
                544,
                416,
            ), type='Resize'),
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
    dict(keep_ratio=True, scale=(
        544,
        416,
    ), type='Resize'),
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
train_cfg = dict(minutes=10.0, type='TimedTrainLoop')
train_dataloader = dict(
    batch_sampler=dict(type='AspectRatioBatchSampler'),
    batch_size=2,
    dataset=dict(
        data_root='bccd',
        filter_cfg=dict(filter_empty_gt=False, min_size=16),
        folders=[
            'VOC2007',
            'VOC2012',
        ],
        metainfo=dict(classes=(
            'RBC',
            'WBC',
            'Platelets',
        )),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations', with_bbox=True),
            dict(keep_ratio=True, scale=(
                544,
                416,
            ), type='Resize'),
            dict(prob=0.5, type='RandomFlip'),
            dict(type='PhotoMetricDistortion'),
            dict(type='PackDetInputs'),
        ],
        split='train',
        type='VOCFolder'),
    num_workers=2,
    persistent_workers=True,
    sampler=dict(shuffle=True, type='InfiniteSampler'))
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(keep_ratio=True, scale=(
        544,
        416,
    ), type='Resize'),
    dict(prob=0.5, type='RandomFlip'),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackDetInputs'),
]
val_cfg = dict(type='ValLoop')
val_dataloader = dict(
    batch_size=4,
    dataset=dict(
        data_root='bccd',
        folders=[
            'VOC2007',
        ],
        metainfo=dict(classes=(
            'RBC',
            'WBC',
            'Platelets',
        )),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(keep_ratio=True, scale=(
                544,
                416,
            ), type='Resize'),
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
work_dir = 'work_dirs/bccd'
