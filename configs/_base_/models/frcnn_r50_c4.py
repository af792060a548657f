# Faster R-CNN with ResNet-50 as a C4 detector, with the settings of the paper
# (arXiv:1506.01497) and of its own code, py-faster-rcnn.
weights = dict(type='Pretrained', checkpoint='torchvision://resnet50')

model = dict(
    type='FasterRCNN',
    data_preprocessor=dict(
        type='DetDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_size_divisor=16),
    backbone=dict(
        type='ResNetC4',
        depth=50,
        frozen_stages=1,
        norm_eval=True,
        norm_requires_grad=False,
        init_cfg=weights),
    rpn_head=dict(
        type='RPNHead',
        in_channels=1024,
        feat_channels=512,
        anchor_generator=dict(
            type='AnchorGenerator',
            style='classic',
            strides=[16],
            ratios=[0.5, 1.0, 2.0],
            scales=[8, 16, 32]),
        bbox_coder=dict(type='DeltaXYWHBBoxCoder'),
        target_sampler=dict(
            type='AnchorTargetSampler',
            num=256,
            pos_fraction=0.5,
            pos_iou_thr=0.7,
            neg_iou_thr=0.3,
            allowed_border=0),
        proposal_creator=dict(
            type='ProposalCreator',
            nms_iou_thr=0.7,
            train=dict(nms_pre=12000, max_per_img=2000),
            test=dict(nms_pre=6000, max_per_img=300),
            min_bbox_size=16),
        loss_cls=dict(type='CrossEntropyLoss', use_sigmoid=False),
        loss_bbox=dict(type='SmoothL1Loss', beta=1 / 3**2)),  # sigma 3
    roi_head=dict(
        type='RoIHead',
        target_sampler=dict(
            type='ProposalTargetSampler',
            num=128,
            pos_fraction=0.25,
            pos_iou_thr=0.5,
            neg_iou_thr=(0.0, 0.5)),
        bbox_roi_extractor=dict(
            type='RoIPoolExtractor',
            roi_layer=dict(type='RoIPool', output_size=14),
            out_channels=1024,
            featmap_strides=[16]),
        shared_head=dict(
            type='ResNetC5Head',
            depth=50,
            norm_eval=True,
            norm_requires_grad=False,
            init_cfg=weights),
        bbox_head=dict(
            type='BBoxHead',
            num_classes=20,
            in_channels=2048,
            roi_feat_size=7,
            with_avg_pool=True,
            bbox_coder=dict(
                type='DeltaXYWHBBoxCoder', target_stds=(0.1, 0.1, 0.2, 0.2)),
            loss_cls=dict(type='CrossEntropyLoss'),
            loss_bbox=dict(type='SmoothL1Loss', beta=1.0)),  # sigma 1
        test_cfg=dict(
            score_thr=0.05,
            nms=dict(type='nms', iou_threshold=0.3),
            max_per_img=100)))
