# The main config on BCCD: blood cells under the microscope, 3 classes, 364 images.
#
#     frcnn train frcnn_r50_c4_bccd --data-root bccd
#
# Needs BCCD (github.com/Shenggan/BCCD_Dataset), torchvision's ImageNet weights, which
# are downloaded, and a GPU: a step takes 19 s on 2 CPU cores. Not trained yet.
_base_ = './frcnn_r50_c4_voc.py'

data_root = 'data/bccd'
classes = ('RBC', 'WBC', 'Platelets')

model = dict(roi_head=dict(bbox_head=dict(num_classes=3)))

train_dataloader = dict(dataset=dict(
    data_root=data_root, split='train', metainfo=dict(classes=classes)))
val_dataloader = dict(dataset=dict(
    data_root=data_root, split='val', metainfo=dict(classes=classes)))
test_dataloader = dict(dataset=dict(
    data_root=data_root, split='test', metainfo=dict(classes=classes)))
_base_.val_evaluator[0].eval_mode = 'area'
val_evaluator = _base_.val_evaluator
test_evaluator = val_evaluator

train_cfg = dict(max_iters=4000, val_interval=500)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=200),
    dict(type='MultiStepLR', by_epoch=False, milestones=[3000], gamma=0.1),
]
default_hooks = dict(checkpoint=dict(interval=500))
