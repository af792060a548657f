"""From images to detections."""

from argparse import Namespace

import torch

from frcnn_plugin.accelerate import for_inference
from frcnn_plugin.accelerate.one_graph import ONE_GRAPH
from frcnn_plugin.mmdet_bridge.lists import unpack
from frcnn_plugin.structures import Proposals

from .measure import DTYPES, in_precision
from .pairs import Work, batch_of, pair_of, regions, same_detections


def inference(args: Namespace) -> Work:
    """Both stages; the second one of both is given the same regions."""
    peer, ours = pair_of(args)
    images, samples, sizes = batch_of(args, boxes=1)
    boxes = regions(args)
    given = Proposals(boxes, torch.ones_like(boxes[..., 0]),
                      torch.ones_like(boxes[..., 0], dtype=torch.bool))

    def both_stages():
        feats = ours.extract_feat(images)
        proposals = ours.rpn_head.propose(feats, sizes, training=False)
        return proposals, ours.roi_head.detect(feats, given, sizes)

    @torch.no_grad()
    def run_ours():
        _, found = both_stages()
        return unpack(found.mask, bboxes=found.bboxes, scores=found.scores,
                      labels=found.labels)

    @torch.no_grad()
    def run_peer():
        feats = peer.features(images)
        peer.proposals(feats, samples, training=False)
        return peer.detections_in(boxes, feats, samples)

    expected = run_peer()
    if args.precision != 'fp32':  # what is timed rounds; that it is the same work, not
        same_detections(run_ours(), expected)
    if args.mode != 'eager':
        one_graph = args.mode == 'compiled' and args.device != 'cpu'
        dtype = None if args.device == 'cpu' else DTYPES.get(args.precision)
        for_inference(ours, compile=args.mode == 'compiled' and not one_graph,
                      dtype=dtype)
        if one_graph:
            both_stages = torch.compile(both_stages, options=ONE_GRAPH)
    if args.precision == 'fp32':
        same_detections(run_ours(), expected)
    return {f'ours, {args.mode}': in_precision(args, run_ours),
            args.peer: in_precision(args, run_peer)}
