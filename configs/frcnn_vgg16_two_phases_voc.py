# VGG16, trained with a frozen backbone first, then as a whole.
#
#     frcnn train frcnn_vgg16_two_phases_voc
#
# Needs what frcnn_r50_c4_voc.py needs. Not trained on VOC yet.
_base_ = [
    './_base_/models/frcnn_vgg16.py',
    './_base_/datasets/voc0712.py',
    './_base_/schedules/voc0712_two_phases.py',
    './_base_/default_runtime.py',
]
