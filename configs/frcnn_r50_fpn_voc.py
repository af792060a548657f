# Faster R-CNN on a feature pyramid of five levels, PASCAL VOC 07+12.
#
#     frcnn train frcnn_r50_fpn_voc
#
# Needs what frcnn_r50_c4_voc.py needs. Not trained on VOC yet.
_base_ = [
    './_base_/models/frcnn_r50_fpn.py',
    './_base_/datasets/voc0712.py',
    './_base_/schedules/voc0712_110k.py',
    './_base_/default_runtime.py',
]
