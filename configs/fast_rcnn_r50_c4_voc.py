# Fast R-CNN: the main config without its RPN, on the regions of selective search, which
# frcnn make-proposals writes: --split trainval --out
# data/VOCdevkit/selective_search_trainval.npz, and the same for test.
_base_ = './frcnn_r50_c4_voc.py'

model = dict(
    rpn_head=None,
    roi_head=dict(target_sampler=dict(num=64, neg_iou_thr=(0.1, 0.5))))

proposal_file = 'selective_search_{split}.npz'  # in the data root
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadProposals', num_max_proposals=2000),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='ProposalBroadcaster', transforms=[
        dict(type='Resize', scale=(1000, 600), keep_ratio=True),
        dict(type='RandomFlip', prob=0.5),
    ]),
    dict(type='PackDetInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadProposals', num_max_proposals=2000),
    dict(type='ProposalBroadcaster', transforms=[
        dict(type='Resize', scale=(1000, 600), keep_ratio=True),
    ]),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')),
]
train_dataloader = dict(dataset=dict(
    proposal_file=proposal_file, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(
    proposal_file=proposal_file, pipeline=test_pipeline))
test_dataloader = val_dataloader
