# The settings of detectron2's faster_rcnn_R_50_C4, whose weights are Caffe's, for its
# checkpoints and for comparisons (docs/interop.md). See mmdet_r50_c4.py.
_base_ = './mmdet_r50_caffe_c4.py'

model = dict(
    data_preprocessor=dict(pad_size_divisor=1),
    rpn_head=dict(
        target_sampler=dict(min_pos_iou=0, reassign_low_quality=False)))
