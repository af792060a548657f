# PASCAL VOC 07+12 at 800 x 1333 pixels, the size of the code bases made for COCO.
_base_ = './voc0712.py'

scale = (1333, 800)
_base_.train_pipeline[2].scale = scale
_base_.test_pipeline[1].scale = scale
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
