# The settings of detectron2's faster_rcnn_R_50_FPN, whose weights are Caffe's, for its
# checkpoints and for comparisons (docs/interop.md). See mmdet_r50_fpn.py.
_base_ = './mmdet_r50_caffe_fpn.py'

model = dict(rpn_head=dict(
    target_sampler=dict(min_pos_iou=0, reassign_low_quality=False)))
