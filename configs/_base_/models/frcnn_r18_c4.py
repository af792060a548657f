# A small Faster R-CNN that learns from scratch on a CPU: ResNet-18 to stride 16,
# RoIAlign 5x5, two fully connected layers.
model = dict(
    type='FasterRCNN',
    data_preprocessor=dict(
        type='DetDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_size_divisor=32),  # two places of the map at least: batch norm needs them
    backbone=dict(type='ResNetC4', depth=18, norm_eval=False),
    rpn_head=dict(
        type='RPNHead',
        in_channels=256,
        feat_channels=256,
        anchor_generator=dict(
            type='AnchorGenerator',
            strides=[16],
            ratios=[0.5, 1.0, 2.0],
            scales=[1.5, 2.5, 4.0],
            center_offset=0.5),
        target_sampler=dict(
            type='AnchorTargetSampler', num=128, allowed_border=-1, min_pos_iou=0.3),
        proposal_creator=dict(
            type='ProposalCreator',
            train=dict(nms_pre=600, max_per_img=200),
            test=dict(nms_pre=600, max_per_img=100),
            min_bbox_size=4)),
    roi_head=dict(
        type='RoIHead',
        target_sampler=dict(type='ProposalTargetSampler', num=32),
        bbox_roi_extractor=dict(
            type='RoIPoolExtractor',
            roi_layer=dict(type='RoIAlign', output_size=5),
            out_channels=256,
            featmap_strides=[16]),
        bbox_head=dict(
            type='BBoxHead',
            num_classes=4,
            in_channels=256,
            roi_feat_size=5,
            with_avg_pool=False,
            fc_channels=[256, 256])))
