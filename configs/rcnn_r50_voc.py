# R-CNN: each region of selective search is cut out of the image with a border of
# context, warped to 224x224 and sent through the whole network.
#
#     frcnn train rcnn_r50_voc
#
# Needs what fast_rcnn_r50_c4_voc.py needs. Not trained on VOC yet.
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

scale = None  # regions are warped to one size, images keep theirs
_base_.train_pipeline[3].transforms = [_base_.flip]
_base_.test_pipeline[2] = dict(type='Resize', scale_factor=1.0)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
