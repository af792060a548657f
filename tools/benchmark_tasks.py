"""The work that tools/benchmark.py times: ours and a peer's, on the same inputs."""

import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:1] = [str(ROOT / 'tests'), str(ROOT)]  # tools/parity.py is another parity

import torch  # noqa: E402
from helpers import make_samples  # noqa: E402
from mmengine.structures import InstanceData  # noqa: E402
from parity import networks  # noqa: E402
from parity.detectron2_network import Detectron2  # noqa: E402
from parity.matching import detection_partners  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from frcnn_plugin.detectors import for_inference, for_training  # noqa: E402
from frcnn_plugin.interop import recognise  # noqa: E402
from frcnn_plugin.interop.configure import build, config_for  # noqa: E402
from frcnn_plugin.structures import (  # noqa: E402
    GroundTruth,
    Proposals,
    bbox2roi,
    unpack,
)

PEERS = [*networks.PEERS, 'detectron2 R50-C4']
Work = dict[str, Callable[[], object]]


def pair_of(args: Namespace, training: bool = False):
    """A peer and ours, with the same weights."""
    style = 'caffe' if 'caffe' in args.peer else None
    if args.peer == 'detectron2 R50-C4':
        return detectron2_pair(args.proposals)
    networks.PROPOSALS = args.proposals, args.proposals
    peer = networks.PEERS[args.peer](train_all=False)
    networks.settle(peer)
    peer.net.train(training)
    return peer, networks.converted(peer, style, train_all=False).train(training)


def detectron2_pair(num_proposals: int):
    """detectron2's network and ours."""
    try:
        peer = Detectron2(num_proposals)
    except ImportError as error:
        raise SystemExit(f'error: detectron2 can not be imported ({error}); put a '
                         'clone of its repository on PYTHONPATH') from error
    state = peer.net.state_dict()
    (kind,) = recognise(state)
    state = kind.to_ours(state)
    num_classes = len(state['roi_head.bbox_head.fc_cls.bias']) - 1
    cfg = config_for(kind, state, [str(i) for i in range(num_classes)], None, 'voc')
    cfg.model.rpn_head.proposal_creator.test.max_per_img = num_proposals
    net = build(cfg)
    net.load_state_dict(state)
    return peer, net.eval()


def inference(args: Namespace) -> Work:
    """From images to detections; the second stage is given the same regions."""
    peer, ours = pair_of(args)
    images = torch.randn(args.batch, 3, *args.size)
    samples = make_samples([1] * args.batch, networks.NUM_CLASSES, size=args.size)
    boxes, sizes = regions(args), torch.tensor([args.size] * args.batch).float()
    given = Proposals(boxes, torch.ones(boxes.shape[:2]),
                      torch.ones(boxes.shape[:2], dtype=torch.bool))

    @torch.no_grad()
    def run_ours():
        feats = ours.extract_feat(images)
        ours.rpn_head.propose(feats, sizes)
        found = ours.roi_head.detect(feats, given, sizes)
        return unpack(found.mask, bboxes=found.bboxes, scores=found.scores,
                      labels=found.labels)

    @torch.no_grad()
    def run_peer():
        feats = peer.features(images)
        peer.proposals(feats, samples, training=False)
        return peer.detections_in(boxes, feats, samples)

    if args.mode != 'eager':
        for_inference(ours, compile=args.mode == 'compiled')
    for mine, theirs in zip(run_ours(), run_peer(), strict=True):
        boxes_of, scores_of = detection_partners(mine, theirs)
        agree('boxes, pixels', *boxes_of, 1e-2)
        agree('scores', *scores_of, 1e-4)
    return {f'ours, {args.mode}': run_ours, args.peer: run_peer}


def training(args: Namespace) -> Work:
    """One step: losses, gradients and update, with as many regions for both."""
    only_mmdet(args)
    peer, ours = pair_of(args, training=True)
    images = torch.randn(args.batch, 3, *args.size)
    samples = make_samples([8] * args.batch, networks.NUM_CLASSES, size=args.size)
    sizes = torch.tensor([args.size] * args.batch).float()
    rois = bbox2roi(regions(args))
    gt, _ = networks.ground_truth(samples)
    if args.mode != 'eager':
        for_training(ours)

    def forward_ours():
        feats = ours.extract_feat(images)
        losses, _ = ours.rpn_head.loss_and_propose(feats, gt, sizes)
        return losses, ours.roi_head.run_regions(feats, rois)

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
    return {f'ours, {args.mode}': step_of(ours, forward_ours),
            args.peer: step_of(peer.net, forward_peer)}


def step_of(net: nn.Module, forward: Callable) -> Callable[[], None]:
    """A whole step of training, at a rate of 0: every step is the same work."""
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0, momentum=0.9)

    def step():
        optimizer.zero_grad()
        losses, (logits, deltas) = forward()
        loss = sum(losses.values()) + logits.logsumexp(1).mean() + deltas.abs().mean()
        loss.backward()
        optimizer.step()
    return step


def targets(args: Namespace) -> Work:
    """Targets of the RPN, and the choice of proposals for training; no network."""
    only_mmdet(args)
    peer, ours = pair_of(args, training=True)
    maps, gt, sizes, samples = predictions(args, peer)
    head, theirs = ours.rpn_head, peer.net.rpn_head
    metas = [sample.metainfo for sample in samples]
    truth = [rpn_sample(sample).gt_instances for sample in samples]

    @torch.no_grad()
    def run_ours():
        outputs = head.gather_outputs(*maps)
        labels, _ = head.target_sampler(outputs.anchors, gt, sizes, head.bbox_coder)
        return head.select_proposals(outputs, sizes), (labels > 0).sum()

    @torch.no_grad()
    def run_peer():
        anchors, flags = theirs.get_anchors(
            [level.shape[-2:] for level in maps[0]], metas, device='cpu')
        found = theirs.get_targets(anchors, flags, truth, metas)
        positive = sum((weights > 0).any(-1).sum() for weights in found[3])
        return theirs.predict_by_feat(
            *maps, batch_img_metas=metas,
            cfg=peer.net.train_cfg.rpn_proposal), positive

    (mine, positive), (expected, their_positive) = run_ours(), run_peer()
    agree('positive anchors', positive, their_positive, 0)
    agree('numbers of proposals', mine.mask.sum(1),
          torch.tensor([len(each) for each in expected]), 0)
    agree('centre of the proposals', mine.bboxes[0].mean(0),
          expected[0].bboxes.mean(0), 1e-2)
    return {'ours': run_ours, args.peer: run_peer}


def predictions(args: Namespace, peer):
    """What an RPN says of a batch, and ground truth for it."""
    samples = make_samples([args.boxes] * args.batch, networks.NUM_CLASSES,
                           size=args.size)
    with torch.no_grad():
        one = peer.rpn_maps(peer.features(torch.randn(1, 3, *args.size)))
    maps = [[level.expand(args.batch, -1, -1, -1).contiguous() for level in kind]
            for kind in one]
    gt, sizes = networks.ground_truth(samples)
    return maps, GroundTruth(*gt), sizes, samples


def rpn_sample(sample):
    """A sample whose boxes are all of one class, as mmdet's detectors make it."""
    return type(sample)(
        metainfo=sample.metainfo, ignored_instances=sample.ignored_instances,
        gt_instances=InstanceData(
            bboxes=sample.gt_instances.bboxes,
            labels=torch.zeros_like(sample.gt_instances.labels)))


def regions(args: Namespace) -> Tensor:
    """(B, R, 4) boxes of 32 to 300 pixels inside an image."""
    shape = args.batch, args.regions, 2
    limit = torch.tensor(args.size[::-1])
    sides = 32 + torch.rand(shape) * (limit.clamp(max=300) - 32)
    corners = torch.rand(shape) * (limit - sides)
    return torch.cat([corners, corners + sides], dim=-1)


def only_mmdet(args: Namespace) -> None:
    """Stop where the peer is another one."""
    if not args.peer.startswith('mmdet'):
        raise SystemExit(f'error: {args.task} is compared with mmdet only')


def agree(what: str, mine: Tensor, theirs: Tensor, tolerance: float) -> None:
    """Stop if the two do not compute the same; the tolerance is absolute."""
    difference = (mine.double() - theirs.double()).abs().max().item()
    print(f'{what} differ by at most {difference:.1e}', flush=True)
    if not difference <= tolerance:
        raise SystemExit(f'error: {what} differ by {difference:.1e}, more than '
                         f'{tolerance:g}: this would time different work')


TASKS = dict(inference=inference, training=training, targets=targets)
