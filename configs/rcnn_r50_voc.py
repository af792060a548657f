# R-CNN: each region of selective search is cut out of the image with a border of
# context, warped to 224x224 and sent through the whole network.
_base_ = './fast_rcnn_r50_c4_voc.py'

weights = dict(type='Pretrained', checkpoint='torchvision://resnet50')
model = dict(
    backbone=dict(_delete_=True, type='IdentityBackbone'),
    roi_head=dict(
        target_sampler=dict(neg_iou_thr=(0.0, 0.5)),
        bbox_roi_extractor=dict(
            roi_layer=dict(type='RoIAlign', output_size=224),
            out_channels=3,
            featmap_strides=[1],
            roi_scale_factor=224 / 192),  # 16 pixels of context on each side
        shared_head=dict(
            _delete_=True,
            type='RegionCNN',
            backbone=dict(
                type='ResNetC4',
                depth=50,
                frozen_stages=1,
                norm_eval=True,
                norm_requires_grad=False,
                init_cfg=weights),
            head=dict(
                type='ResNetC5Head',
                depth=50,
                norm_eval=True,
                norm_requires_grad=False,
                init_cfg=weights))))

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadProposals', num_max_proposals=2000),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='ProposalBroadcaster', transforms=[dict(type='RandomFlip', prob=0.5)]),
    dict(type='PackDetInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadProposals', num_max_proposals=2000),
    dict(type='Resize', scale_factor=1.0),  # regions are warped, not images
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
