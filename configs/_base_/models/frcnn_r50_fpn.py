# Faster R-CNN with ResNet-50 and a feature pyramid (arXiv:1612.03144), with most of the
# settings of torchvision's fasterrcnn_resnet50_fpn (all: peers/torchvision_r50_fpn.py).
weights = dict(type='Pretrained', checkpoint='torchvision://resnet50')

model = dict(
    type='FasterRCNN',
    data_preprocessor=dict(
        type='DetDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_size_divisor=32),
    backbone=dict(
        type='mmdet.ResNet',
        depth=50,
        frozen_stages=1,  # of 5 the stem and layer1: three are trained
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        init_cfg=weights),
    neck=dict(
        type='mmdet.FPN',
        in_channels=[256, 512, 1024, 2048],
        out_channels=256,
        num_outs=5),
    rpn_head=dict(
        type='RPNHead',
        in_channels=256,
        feat_channels=256,
        anchor_generator=dict(
            type='AnchorGenerator',
            style='torchvision',
            strides=[4, 8, 16, 32, 64],
            base_sizes=[32, 64, 128, 256, 512],
            ratios=[0.5, 1.0, 2.0],
            scales=[1.0]),
        bbox_coder=dict(type='DeltaXYWHBBoxCoder'),
        target_sampler=dict(
            type='AnchorTargetSampler',
            num=256,
            pos_fraction=0.5,
            pos_iou_thr=0.7,
            neg_iou_thr=0.3,
            allowed_border=-1),
        proposal_creator=dict(
            type='ProposalCreator',
            nms_iou_thr=0.7,
            train=dict(nms_pre=2000, max_per_img=2000),
            test=dict(nms_pre=1000, max_per_img=1000),
            min_bbox_size=1e-3,
            score_thr=0.0),
        loss_cls=dict(type='CrossEntropyLoss', use_sigmoid=True),
        loss_bbox=dict(type='SmoothL1Loss', beta=1 / 9)),
    roi_head=dict(
        type='RoIHead',
        target_sampler=dict(
            type='ProposalTargetSampler',
            num=512,
            pos_fraction=0.25,
            pos_iou_thr=0.5,
            neg_iou_thr=(0.0, 0.5)),
        bbox_roi_extractor=dict(
            type='RoIPoolExtractor',
            roi_layer=dict(
                type='RoIAlign', output_size=7, sampling_ratio=2, aligned=False),
            out_channels=256,
            featmap_strides=[4, 8, 16, 32],
            finest_scale=56),  # a region of 224 pixels is on the third level
        bbox_head=dict(
            type='BBoxHead',
            num_classes=20,
            in_channels=256,
            roi_feat_size=7,
            with_avg_pool=False,
            fc_channels=[1024, 1024],
            bbox_coder=dict(  # weights 10, 10, 5, 5
                type='DeltaXYWHBBoxCoder', target_stds=(0.1, 0.1, 0.2, 0.2)),
            loss_cls=dict(type='CrossEntropyLoss'),
            loss_bbox=dict(type='SmoothL1Loss', beta=1 / 9)),
        test_cfg=dict(
            score_thr=0.05,
            nms=dict(type='nms', iou_threshold=0.5),
            max_per_img=100)))
