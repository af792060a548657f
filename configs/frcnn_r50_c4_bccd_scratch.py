# BCCD from scratch with ResNet-50 C4: batches of 16 at 0.75 to 1.25 of 640x480.
#
#     frcnn train frcnn_r50_c4_bccd_scratch --data-root bccd
#
# Needs BCCD (github.com/Shenggan/BCCD_Dataset) and one GPU, no weights. Not trained by
# this schedule yet; in 3 minutes on an H100, by another, it reached a mAP of 0.916 on
# the 72 test images (docs/results.md).
_base_ = './frcnn_r18_c4_bccd.py'

scale = (640, 480)
_base_.train_pipeline[2].scale = scale
_base_.test_pipeline[1].scale = scale

model = dict(
    data_preprocessor=dict(batch_augments=[
        dict(type='BatchRandomScale', scales=(0.75, 1.25))]),
    backbone=dict(depth=50),
    rpn_head=dict(
        in_channels=1024,
        feat_channels=512,
        anchor_generator=dict(scales=[2.5, 6.0, 12.0])),
    roi_head=dict(
        bbox_roi_extractor=dict(roi_layer=dict(output_size=14), out_channels=1024),
        shared_head=dict(type='ResNetC5Head', depth=50, norm_eval=False),
        bbox_head=dict(
            _delete_=True,
            type='BBoxHead',
            num_classes=3,
            in_channels=2048,
            roi_feat_size=7,
            with_avg_pool=True)))

train_dataloader = dict(
    batch_size=16, num_workers=8, dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(batch_size=8, dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = dict(batch_size=8, dataset=dict(pipeline=_base_.test_pipeline))

optim_wrapper = dict(optimizer=dict(lr=0.001))
custom_hooks = [dict(type='EMAHook', momentum=0.01, update_buffers=True)]
train_cfg = dict(max_iters=3000, val_interval=500)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=200),
    dict(
        type='CosineAnnealingLR', by_epoch=False, begin=200, end=3000, T_max=2800,
        eta_min=1e-6),
]
