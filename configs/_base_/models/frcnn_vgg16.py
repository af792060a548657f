# The main model on VGG16, the network of the paper: RoIPool 7x7, fc6 and fc7.
_base_ = './frcnn_r50_c4.py'

weights = dict(type='Pretrained', checkpoint='torchvision://vgg16')
model = dict(
    backbone=dict(_delete_=True, type='VGG16', frozen_stages=2, init_cfg=weights),
    rpn_head=dict(in_channels=512),
    roi_head=dict(
        bbox_roi_extractor=dict(roi_layer=dict(output_size=7), out_channels=512),
        shared_head=dict(_delete_=True, type='VGG16FCHead', init_cfg=weights),
        bbox_head=dict(in_channels=4096, roi_feat_size=1)))
