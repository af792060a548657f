"""The parts of accelerate/ and the plain ones, on the shapes that occur.

A new part is a line in ``ALTERNATIVES``.
"""

from argparse import Namespace
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from frcnn_plugin.accelerate import for_training
from frcnn_plugin.accelerate.c5_on_map import C5OnMap, DeferredRoIAlign
from frcnn_plugin.accelerate.convolution import conv2d_by_products, products_are_faster
from frcnn_plugin.accelerate.matching import compare_in_blocks
from frcnn_plugin.accelerate.parts import with_class
from frcnn_plugin.accelerate.roi_align import PixelRoIAlign
from frcnn_plugin.accelerate.roi_pool import PixelRoIPool
from frcnn_plugin.accelerate.suppression import greedy_nms
from frcnn_plugin.ops import masked_nms, masked_topk
from frcnn_plugin.ops.matching import compare
from frcnn_plugin.roi.resnet_c5_head import ResNetC5Head
from frcnn_plugin.roi.roi_pool_extractor import RoIPoolExtractor
from frcnn_plugin.structures import bbox2roi

from .measure import DTYPES
from .pairs import regions

LAST = torch.channels_last
ONE_MAP = dict(roi_layer=dict(type='RoIAlign', output_size=14), out_channels=1024,
               featmap_strides=[16])
BINS = {**ONE_MAP, 'roi_layer': dict(type='RoIPool', output_size=14)}
PYRAMID = dict(
    roi_layer=dict(type='RoIAlign', output_size=7, sampling_ratio=2, aligned=False),
    out_channels=256, featmap_strides=[4, 8, 16, 32])


class Pair(NamedTuple):
    """Two ways to the same tensor."""

    plain: Callable[[], Tensor]
    other: Callable[[], Tensor]
    in_use: bool  # the other one, by the rules of accelerate/ on this processor
    tolerance: float = 1e-4  # in fp32, of the largest value


class Parts(nn.Module):
    """A detector that has these parts only."""

    def __init__(self, **parts) -> None:
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)


def pooling(settings: dict, kind: type, number: int, backward: bool,
            args: Namespace) -> Pair:
    """Regions of an image cut out of its maps, or the gradient of the maps."""
    plain = RoIPoolExtractor(**settings)
    maps, rois = inputs_of(plain, number, backward, args)
    used = for_training(Parts(bbox_roi_extractor=with_class(plain, type(plain))))
    return Pair(*(ways(partial(module, maps, rois), maps, backward)
                  for module in (plain, with_class(plain, kind))),
                type(used.bbox_roi_extractor) is kind)


def second_stage(number: int, backward: bool, args: Namespace) -> Pair:
    """RoIAlign and ``layer4`` of a ResNet-50, or the gradient of the map."""
    plain, head = RoIPoolExtractor(**ONE_MAP), ResNetC5Head(50).eval().to(
        args.device, memory_format=LAST)
    maps, rois = inputs_of(plain, number, backward, args)
    later, on_map = with_class(plain, DeferredRoIAlign), with_class(head, C5OnMap)
    on_map.pool_cells = later.pool_cells
    early = with_class(plain, PixelRoIAlign)
    used = for_training(Parts(bbox_roi_extractor=plain, shared_head=ResNetC5Head(50)))
    return Pair(ways(lambda: head(early(maps, rois)), maps, backward),
                ways(lambda: on_map(later(maps, rois)), maps, backward),
                isinstance(used.shared_head, C5OnMap),
                2e-2 if backward else 1e-4)  # the last bit decides at a ReLU's kink


def inputs_of(extractor: RoIPoolExtractor, number: int, backward: bool,
              args: Namespace) -> tuple[list[Tensor], Tensor]:
    """Maps and regions; with ``--regions`` there are no more than so many."""
    maps = [torch.randn(
        1, extractor.out_channels, *(side // stride for side in args.size),
        device=args.device, dtype=DTYPES.get(args.precision)).to(
            memory_format=LAST).requires_grad_(backward)
        for stride in extractor.featmap_strides]
    here = Namespace(batch=1, regions=min(number, args.regions), size=args.size,
                     device=args.device)
    return maps, bbox2roi(regions(here))


def ways(forward: Callable[[], Tensor], leaves: list[Tensor],
         backward: bool) -> Callable[[], Tensor]:
    """What runs forward; or forward and backward, to the gradient of the first leaf."""
    if not backward:
        return torch.no_grad()(forward)
    with torch.no_grad():
        example = forward()
    generator = torch.Generator(example.device).manual_seed(0)
    gradient = torch.empty_like(example).copy_(torch.randn(
        example.shape, generator=generator, device=example.device))

    def run() -> Tensor:
        for leaf in leaves:
            leaf.grad = None
        forward().backward(gradient)
        return leaves[0].grad
    return run


def suppression(number: int, kept: int, num_groups: int, args: Namespace) -> Pair:
    """Boxes of a batch to the scores of the best ones that stay."""
    boxes = regions(Namespace(**{**vars(args), 'regions': number}))
    scores = torch.rand(boxes.shape[:2], device=args.device)
    mask = torch.ones_like(scores, dtype=torch.bool)
    groups = None if num_groups == 1 else torch.randint(
        num_groups, (number,), device=args.device)

    def run(nms: Callable) -> Tensor:
        found = nms(boxes, scores, mask, 0.7, groups, num=kept)
        indices, stays = masked_topk(scores, found, kept)
        return torch.where(stays, scores.gather(1, indices), 0)
    used = for_training(Parts(weight=nn.Parameter(scores), nms=masked_nms))
    return Pair(partial(run, masked_nms), partial(run, greedy_nms),
                used.nms is greedy_nms)


def matching(number: int, num_boxes: int, args: Namespace) -> Pair:
    """Anchors or proposals of a batch compared with its ground truth."""
    boxes, truth = (regions(Namespace(**{**vars(args), 'regions': size}))
                    for size in (number, num_boxes))

    def run(way: Callable) -> Tensor:
        return torch.stack([each.float() for each in way(boxes, truth, 0, 0.0)])
    used = for_training(Parts(weight=nn.Parameter(boxes), compare=compare))
    return Pair(partial(run, compare), partial(run, compare_in_blocks),
                used.compare is compare_in_blocks)


def weights(channels: int, outputs: int, stride: int, kernel: int,
            args: Namespace) -> Pair:
    """Forward and backward through a convolution, to the gradient of its weights."""
    plain = nn.Conv2d(channels, outputs, kernel, padding=kernel // 2).to(
        args.device, memory_format=LAST)
    x = torch.randn(args.batch, channels, *(side // stride for side in args.size),
                    device=args.device).to(memory_format=LAST).requires_grad_()
    def by_products() -> Tensor:
        return conv2d_by_products(x, plain.weight, plain.bias, plain.stride,
                                  plain.padding)
    return Pair(*(ways(forward, [plain.weight, x], True)
                  for forward in (partial(plain, x), by_products)),
                products_are_faster(
                    plain.weight, DTYPES.get(args.precision, torch.float32)))


ALTERNATIVES = {
    'RoIAlign, a map': partial(pooling, ONE_MAP, PixelRoIAlign, 300, False),
    'RoIAlign, a map, backward': partial(pooling, ONE_MAP, PixelRoIAlign, 256, True),
    'RoIAlign, pyramid': partial(pooling, PYRAMID, PixelRoIAlign, 1000, False),
    'RoIAlign, pyramid, backward': partial(pooling, PYRAMID, PixelRoIAlign, 512, True),
    'RoIPool': partial(pooling, BINS, PixelRoIPool, 300, False),
    'RoIPool, backward': partial(pooling, BINS, PixelRoIPool, 128, True),
    'layer4 on the map': partial(second_stage, 300, False),
    'layer4 on the map, backward': partial(second_stage, 128, True),
    'suppression, 12000 proposals to 2000': partial(suppression, 12000, 2000, 1),
    'suppression, 6000 proposals to 300': partial(suppression, 6000, 300, 1),
    'suppression, 300 regions of 20 classes': partial(suppression, 6000, 100, 20),
    'matching, 17100 anchors, 8 boxes': partial(matching, 17100, 8),
    'matching, 28500 anchors, 100 boxes': partial(matching, 28500, 100),
    'matching, 2000 proposals, 100 boxes': partial(matching, 2000, 100),
    'convolution 3x3, 64 to 64': partial(weights, 64, 64, 4, 3),
    'convolution 3x3, 128 to 128': partial(weights, 128, 128, 8, 3),
    'convolution 3x3, 256 to 256': partial(weights, 256, 256, 16, 3),
    'convolution 3x3, 512 to 512': partial(weights, 512, 512, 16, 3),
    'convolution 3x3, 1024 to 512': partial(weights, 1024, 512, 16, 3),
    'convolution 1x1, 128 to 512': partial(weights, 128, 512, 8, 1),
    'convolution 1x1, 512 to 128': partial(weights, 512, 128, 8, 1),
    'convolution 1x1, 1024 to 1024': partial(weights, 1024, 1024, 16, 1),
}
