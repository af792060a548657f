"""One step of training: losses, gradients and update."""

from argparse import Namespace
from collections.abc import Callable

import torch
from peers import networks
from torch import nn

from frcnn_plugin.accelerate import for_training
from frcnn_plugin.structures import bbox2roi

from .measure import in_precision
from .pairs import Work, agree, batch_of, only_mmdet, pair_of, regions, rpn_sample


def training(args: Namespace) -> Work:
    """With sampling switched off, and as many regions for both."""
    only_mmdet(args)
    peer, ours = pair_of(args, training=True)
    images, samples, sizes = batch_of(args, boxes=8)
    rois = bbox2roi(regions(args))
    gt = networks.ground_truth(samples)[0]
    keep_scores_whole(peer.net.rpn_head)
    if args.mode != 'eager':
        for_training(ours)

    def forward_ours():
        feats = ours.extract_feat(images)
        _, losses = ours.rpn_head.run(feats, sizes, training=True, gt=gt)
        return losses, ours.roi_head.predict_regions(feats, rois)

    def forward_peer():
        feats = peer.features(images)
        losses, _ = peer.net.rpn_head.loss_and_predict(
            feats, [rpn_sample(sample) for sample in samples],
            proposal_cfg=peer.net.train_cfg.rpn_proposal)
        return ({name: sum(value) for name, value in losses.items()},
                peer.heads(peer.pooled(feats, rois)))

    (losses, outputs), (their_losses, their_outputs) = forward_ours(), forward_peer()
    for name, value in losses.items():
        agree(name, value, their_losses[name], 1e-5)
    for name, mine, theirs in zip(('logits', 'deltas'), outputs, their_outputs,
                                  strict=True):
        agree(name, mine, theirs, 1e-4)
    if args.mode == 'compiled':
        forward_ours = torch.compile(forward_ours)
    return {f'ours, {args.mode}': step_of(args, ours, forward_ours),
            args.peer: step_of(args, peer.net, forward_peer)}


def keep_scores_whole(head: nn.Module) -> None:
    """Scores of mmdet's RPN in float32: its suppression fails on others.

    For more than 10,000 proposals mmcv's ``batched_nms`` writes float32 scores into a
    tensor of their type.
    """
    choose = head.predict_by_feat

    def in_float(cls_scores, *args, **kwargs):
        return choose([level.float() for level in cls_scores], *args, **kwargs)
    head.predict_by_feat = in_float


def step_of(args: Namespace, net: nn.Module, forward: Callable) -> Callable[[], None]:
    """A whole step of training, at a rate of 0: every step is the same work."""
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0, momentum=0.9)
    forward = in_precision(args, forward)

    def step():
        optimizer.zero_grad()
        losses, (logits, deltas) = forward()
        loss = sum(losses.values()) + logits.float().logsumexp(1).mean()
        (loss + deltas.float().abs().mean()).backward()
        optimizer.step()
    return step
