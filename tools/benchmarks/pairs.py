"""Ours and a peer with the same weights and inputs, and proof that they agree."""

from argparse import Namespace
from collections.abc import Callable
from types import SimpleNamespace

import torch
from mmengine.structures import InstanceData
from peers import networks
from peers.detectron2_network import Detectron2
from peers.matching import detection_partners
from samples import make_samples
from torch import Tensor

from frcnn_plugin.interop import recognise
from frcnn_plugin.interop.configure import build, peer_config

PEERS = [*networks.PEERS, 'detectron2 R50-C4']
NUM_CLASSES = networks.NUM_CLASSES
Work = dict[str, Callable[[], object]]


def pair_of(args: Namespace, training: bool = False):
    """A peer and ours, with the same weights."""
    if args.peer == 'detectron2 R50-C4':
        peer, ours = detectron2_pair(args)
    else:
        style = 'caffe' if 'caffe' in args.peer else None
        peer = networks.PEERS[args.peer](train_all=False, limits=(args.proposals,) * 2)
        networks.settle(peer)
        ours = networks.converted(peer, style, train_all=False)
    peer.net.to(args.device).train(training)
    return peer, ours.to(args.device).train(training)


def detectron2_pair(args: Namespace):
    """detectron2's network and ours."""
    try:
        peer = Detectron2(args.proposals)
    except ImportError as error:
        raise SystemExit(f'error: detectron2 cannot be imported ({error}); put a '
                         'clone of its repository on PYTHONPATH') from error
    if args.device != 'cpu':
        raise SystemExit('error: detectron2 is built here for the CPU only')
    state = peer.net.state_dict()
    (kind,) = recognise(state)
    state = kind.to_ours(state)
    num_classes = len(state['roi_head.bbox_head.fc_cls.bias']) - 1
    cfg = peer_config(kind, state, [str(i) for i in range(num_classes)], None, 'voc')
    cfg.model.rpn_head.proposal_creator.test.max_per_img = args.proposals
    net = build(cfg)
    net.load_state_dict(state)
    return peer, net.eval()


def batch_of(args: Namespace, boxes: int):
    """Images, data samples with so many boxes, and (B, 2) sizes."""
    images = torch.randn(args.batch, 3, *args.size)
    samples = make_samples([boxes] * args.batch, NUM_CLASSES, size=args.size)
    sizes = torch.tensor([args.size] * args.batch).float()
    return (images.to(args.device), [sample.to(args.device) for sample in samples],
            sizes.to(args.device))


def regions(args: Namespace) -> Tensor:
    """(B, R, 4) boxes of 32 to 300 pixels inside an image."""
    shape = args.batch, args.regions, 2
    limit = torch.tensor(args.size[::-1])
    sides = 32 + torch.rand(shape) * (limit.clamp(max=300) - 32)
    corners = torch.rand(shape) * (limit - sides)
    return torch.cat([corners, corners + sides], dim=-1).to(args.device)


def rpn_sample(sample):
    """A sample whose boxes are all of one class, as mmdet's detectors make it."""
    return type(sample)(
        metainfo=sample.metainfo, ignored_instances=sample.ignored_instances,
        gt_instances=InstanceData(
            bboxes=sample.gt_instances.bboxes,
            labels=torch.zeros_like(sample.gt_instances.labels)))


def only_mmdet(args: Namespace) -> None:
    """Stop where the peer is another one."""
    if not args.peer.startswith('mmdet'):
        raise SystemExit(f'error: {args.task} is compared with mmdet only')


def agree(what: str, mine: Tensor, theirs: Tensor, tolerance: float) -> None:
    """Stop if the two do not compute the same; the tolerance is absolute."""
    difference = mine.detach().double().cpu() - theirs.detach().double().cpu()
    largest = difference.abs().max().item()
    print(f'{what} differ by at most {largest:.1e}', flush=True)
    if not largest <= tolerance:
        raise SystemExit(f'error: {what} differ by {largest:.1e}, more than '
                         f'{tolerance:g}: this would time different work')


def same_detections(found, expected) -> None:
    """Stop unless two code bases detect the same, to 0.01 pixels and 1e-4."""
    for mine, theirs in zip(found, expected, strict=True):
        boxes, scores = detection_partners(on_host(mine), on_host(theirs))
        agree('boxes, pixels', *boxes, 1e-2)
        agree('scores', *scores, 1e-4)


def on_host(instances) -> SimpleNamespace:
    """Detections of one image, on the CPU."""
    return SimpleNamespace(**{name: getattr(instances, name).cpu()
                              for name in ('bboxes', 'scores', 'labels')})
