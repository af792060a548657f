# Fast R-CNN: the main config without its RPN, on the regions of selective search.
#
#     frcnn make-proposals --data-root data/VOCdevkit --folders VOC2007 VOC2012 \
#         --split trainval --out data/VOCdevkit/selective_search_trainval.npz
#     frcnn make-proposals --data-root data/VOCdevkit --folders VOC2007 \
#         --split test --out data/VOCdevkit/selective_search_test.npz
#     frcnn train fast_rcnn_r50_c4_voc
#
# Needs these two files and what frcnn_r50_c4_voc.py needs. Not trained on VOC yet.
_base_ = './frcnn_r50_c4_voc.py'

model = dict(
    rpn_head=None,
    roi_head=dict(target_sampler=dict(num=64, neg_iou_thr=(0.1, 0.5))))

proposal_file = 'selective_search_{split}.npz'  # in the data root
load = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadProposals', num_max_proposals=2000),
]
resize, flip = _base_.train_pipeline[2:4]
train_pipeline = [
    *load,
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='ProposalBroadcaster', transforms=[resize, flip]),
    dict(type='PackDetInputs'),
]
test_pipeline = [
    *load,
    dict(type='ProposalBroadcaster', transforms=[resize]),
    *_base_.test_pipeline[2:],
]
train_dataloader = dict(dataset=dict(
    proposal_file=proposal_file, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(
    proposal_file=proposal_file, pipeline=test_pipeline))
test_dataloader = val_dataloader
