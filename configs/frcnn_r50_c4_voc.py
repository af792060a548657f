# Faster R-CNN, ResNet-50 C4, PASCAL VOC 07+12: the main config.
_base_ = [
    './_base_/models/frcnn_r50_c4.py',
    './_base_/datasets/voc0712.py',
    './_base_/schedules/voc0712_110k.py',
    './_base_/default_runtime.py',
]
