# The numbers of detectron2's faster_rcnn_R_50_FPN, whose weights are Caffe's.
_base_ = './mmdet_r50_caffe_fpn.py'

model = dict(rpn_head=dict(
    target_sampler=dict(min_pos_iou=0, reassign_low_quality=False)))
