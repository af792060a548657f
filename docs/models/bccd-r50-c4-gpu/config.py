classes = (
    'RBC',
    'WBC',
    'Platelets',
)
command = 'frcnn train configs/frcnn_r50_c4_bccd_scratch.py --data-root bccd --work-dir work_dirs/r50 --from-scratch --seed 0 --cfg-options optim_wrapper.type=AmpOptimWrapper optim_wrapper.dtype=bfloat16 default_hooks.report=None train_cfg._delete_=True train_cfg.type=TimedTrainLoop train_cfg.minutes=3.4 param_scheduler=None'
custom_hooks = [
    dict(momentum=0.01, type='EMAHook', update_buffers=True),
]
custom_imports = dict(imports=[
    'frcnn_plugin',
])
data = dict(
    data_root='data/bccd',
    metainfo=dict(classes=(
        'RBC',
        'WBC',
        'Platelets',
    )))
data_root = 'data/bccd'
default_hooks = dict(
    accelerate=dict(type='AccelerateHook'),
    checkpoint=dict(
        by_epoch=False,
        interval=500,
        max_keep_ckpts=2,
        save_best='auto',
        type='CheckpointHook'),
    logger=dict(interval=20, log_metric_by_epoch=False, type='LoggerHook'),
    operating_points=dict(type='OperatingPointsHook'),
    param_scheduler=dict(type='ParamSchedulerHook'),
    run_record=dict(type='RunRecordHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    timer=dict(type='IterTimerHook'),
    visualization=dict(max_pictures=16, score_thr=0.5, type='PicturesHook'))
default_scope = 'frcnn_plugin'
env_cfg = dict(
    cudnn_benchmark=False,
    dist_cfg=dict(backend='nccl'),
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
from_scratch = True
launcher = 'none'
load_from = None
log_level = 'INFO'
log_processor = dict(by_epoch=False, type='LogProcessor', window_size=50)
model = dict(
    backbone=dict(depth=50, norm_eval=False, type='ResNetC4'),
    data_preprocessor=dict(
        batch_augments=[
            dict(scales=(
                0.75,
                1.25,
            ), type='BatchRandomScale'),
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
            cls_init_std=0.0001,
            in_channels=2048,
            num_classes=3,
            roi_feat_size=7,
            type='BBoxHead',
            with_avg_pool=True),
        bbox_roi_extractor=dict(
            featmap_strides=[
                16,
            ],
            out_channels=1024,
            roi_layer=dict(output_size=14, type='RoIAlign'),
            type='RoIPoolExtractor'),
        shared_head=dict(depth=50, norm_eval=False, type='ResNetC5Head'),
        target_sampler=dict(num=64, type='ProposalTargetSampler'),
        test_cfg=dict(
            max_per_img=100,
            nms=dict(iou_threshold=0.5, type='nms'),
            score_thr=0.05),
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
                2.5,
                6.0,
                12.0,
            ],
            strides=[
                16,
            ],
            type='AnchorGenerator'),
        cls_init_std=0.0001,
        feat_channels=512,
        in_channels=1024,
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
    dtype='bfloat16',
    optimizer=dict(lr=0.001, type='AdamW', weight_decay=0.05),
    type='AmpOptimWrapper')
param_scheduler = None
randomness = dict(seed=0)
resize = dict(
    keep_ratio=True, scale=(
        512,
        384,
    ), type='Resize')
resume = False
scale = (
    640,
    480,
)
test_cfg = dict(type='TestLoop')
test_dataloader = dict(
    batch_size=8,
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
                640,
                480,
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
        640,
        480,
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
train_cfg = dict(minutes=3.4, type='TimedTrainLoop')
train_dataloader = dict(
    batch_sampler=dict(type='AspectRatioBatchSampler'),
    batch_size=16,
    dataset=dict(
        data_root='bccd',
        filter_cfg=dict(filter_empty_gt=True, min_size=16),
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
                640,
                480,
            ), type='Resize'),
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
            dict(type='PhotoMetricDistortion'),
            dict(type='PackDetInputs'),
        ],
        split='train',
        type='VOCFolder'),
    num_workers=8,
    persistent_workers=True,
    sampler=dict(shuffle=True, type='InfiniteSampler'))
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(keep_ratio=True, scale=(
        640,
        480,
    ), type='Resize'),
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
    dict(type='PhotoMetricDistortion'),
    dict(type='PackDetInputs'),
]
val_cfg = dict(type='ValLoop')
val_dataloader = dict(
    batch_size=8,
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
                640,
                480,
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
work_dir = 'work_dirs/r50'
