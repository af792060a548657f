# Faster R-CNN, ResNet-50 C4, PASCAL VOC 07+12: the main config.
#
#     frcnn train frcnn_r50_c4_voc
#     frcnn test frcnn_r50_c4_voc work_dirs/frcnn_r50_c4_voc/iter_55000.pth
#
# Needs data/VOCdevkit (frcnn prepare --voc 2007 2012), torchvision's ImageNet
# weights, which are downloaded, and a GPU: a step takes 14 s on 2 CPU cores
# (docs/performance.md). Not trained on VOC yet.
_base_ = [
    './_base_/models/frcnn_r50_c4.py',
    './_base_/datasets/voc0712.py',
    './_base_/schedules/voc0712_110k.py',
    './_base_/default_runtime.py',
]
