"""What is neither network nor loss: targets, proposals, suppression."""

from argparse import Namespace

import torch
from mmcv.ops import batched_nms
from peers import networks

from frcnn_plugin.accelerate import for_training
from frcnn_plugin.accelerate.suppression import greedy_nms
from frcnn_plugin.structures import GroundTruth

from .pairs import Work, agree, batch_of, only_mmdet, pair_of, regions, rpn_sample


def targets(args: Namespace) -> Work:
    """Targets of the RPN, and the choice of proposals for training."""
    only_mmdet(args)
    peer, ours = pair_of(args, training=True)
    maps, gt, sizes, samples = predictions(args, peer)
    head, theirs = for_training(ours).rpn_head, peer.net.rpn_head
    metas = [sample.metainfo for sample in samples]
    truth = [rpn_sample(sample).gt_instances for sample in samples]

    @torch.no_grad()
    def run_ours():
        outputs = head.gather_outputs(*maps)
        labels, _ = head.target_sampler(outputs.anchors, gt, sizes, head.bbox_coder)
        return head.select_proposals(
            outputs, sizes, training=True), (labels > 0).sum()

    @torch.no_grad()
    def run_peer():
        anchors, flags = theirs.get_anchors(
            [level.shape[-2:] for level in maps[0]], metas, device=args.device)
        found = theirs.get_targets(anchors, flags, truth, metas)
        positive = sum((weights > 0).any(-1).sum() for weights in found[3])
        return theirs.predict_by_feat(
            *maps, batch_img_metas=metas,
            cfg=peer.net.train_cfg.rpn_proposal), positive

    (mine, positive), (expected, their_positive) = run_ours(), run_peer()
    agree('positive anchors', positive, their_positive, 0)
    agree('numbers of proposals', mine.mask.sum(1),
          torch.tensor([len(each) for each in expected]), 0)
    agree('centre of the proposals', mine.bboxes[0, mine.mask[0]].mean(0),
          expected[0].bboxes.mean(0), 1e-2)
    return {'ours': run_ours, args.peer: run_peer}


def predictions(args: Namespace, peer):
    """What an RPN says of a batch, and ground truth for it."""
    images, samples, sizes = batch_of(args, args.boxes)
    with torch.no_grad():
        one = peer.rpn_maps(peer.features(images[:1]))
    maps = [[level.expand(args.batch, -1, -1, -1).contiguous() for level in kind]
            for kind in one]
    return maps, GroundTruth(*networks.ground_truth(samples)[0]), sizes, samples


def suppression(args: Namespace) -> Work:
    """Many boxes of each image to few, as between the two stages in training."""
    boxes = regions(args)
    scores = torch.rand(boxes.shape[:2], device=args.device)
    mask = torch.ones_like(scores, dtype=torch.bool)
    one_group = torch.zeros_like(scores[0], dtype=torch.long)

    def run_ours():
        return greedy_nms(boxes, scores, mask, 0.7, num=args.proposals)

    def run_peer():
        return [batched_nms(*each, one_group, dict(
            type='nms', iou_threshold=0.7, max_num=args.proposals))[1]
            for each in zip(boxes, scores, strict=True)]

    for kept, score, expected in zip(run_ours(), scores, run_peer(), strict=True):
        mine = torch.where(kept, score, -1).topk(len(expected)).values
        agree('scores of the best that stay', mine, score[expected], 0)
    return {'ours': run_ours, 'mmcv.ops.batched_nms': run_peer}
