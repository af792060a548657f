# Faster R-CNN, VGG16, PASCAL VOC 07+12: the network of the paper.
#
#     frcnn train frcnn_vgg16_voc
#
# Needs what frcnn_r50_c4_voc.py needs. Not trained on VOC yet.
_base_ = [
    './_base_/models/frcnn_vgg16.py',
    './_base_/datasets/voc0712.py',
    './_base_/schedules/voc0712_110k.py',
    './_base_/default_runtime.py',
]
