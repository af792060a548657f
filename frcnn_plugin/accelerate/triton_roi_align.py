"""RoIAlign on a GPU with the channels of a pixel side by side.

torchvision's kernel goes channel by channel. The convolutions want pixel by pixel, and
in half precision coordinates need float32, so that what it returns, the largest tensor
of the detector, is written anew in another type and in another order. Here a program
pools one cell of one region, many channels at once, in the type and order of the map.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from ..roi.roi_pool_extractor import RoIPoolExtractor

CHANNELS = 512  # at most so many at once


class TritonRoIAlign(RoIPoolExtractor):
    """Takes the place of a plain extractor on a GPU."""

    @staticmethod
    def fits(module) -> bool:
        """Whether the module pools as this one does, by RoIAlign."""
        return type(module) is RoIPoolExtractor and module.kind == 'RoIAlign'

    def pool_map(self, feature: Tensor, rois: Tensor, spatial_scale: float) -> Tensor:
        """(R, C, h, w) of (R, 5) regions of one (B, C, H, W) map."""
        if feature.device.type != 'cuda' or (
                torch.are_deterministic_algorithms_enabled() and feature.requires_grad):
            return super().pool_map(feature, rois, spatial_scale)
        return torch.ops.frcnn_plugin.roi_align(
            feature, rois.float(), *self.output_size, spatial_scale,
            self.options['sampling_ratio'], self.options['aligned'])


@torch.library.custom_op('frcnn_plugin::roi_align', mutates_args=())
def _roi_align(feature: Tensor, rois: Tensor, height: int, width: int, scale: float,
               sampling_ratio: int, aligned: bool) -> Tensor:
    feature = feature.contiguous(memory_format=torch.channels_last)
    pooled = _empty(feature, rois, height, width)
    launch(feature, rois, pooled, scale, sampling_ratio, aligned, backward=False)
    return pooled


@_roi_align.register_fake
def _(feature, rois, height, width, scale, sampling_ratio, aligned):
    return _empty(feature, rois, height, width)


def _empty(feature: Tensor, rois: Tensor, height: int, width: int) -> Tensor:
    return torch.empty((rois.size(0), feature.size(1), height, width),
                       dtype=feature.dtype, device=feature.device,
                       memory_format=torch.channels_last)


@torch.library.custom_op('frcnn_plugin::roi_align_backward', mutates_args=())
def _backward(gradient: Tensor, rois: Tensor, shape: list[int], scale: float,
              sampling_ratio: int, aligned: bool) -> Tensor:
    gradient = gradient.contiguous(memory_format=torch.channels_last)
    total = _gradient_of_map(gradient, shape).zero_()
    launch(total, rois, gradient, scale, sampling_ratio, aligned, backward=True)
    return total


@_backward.register_fake
def _(gradient, rois, shape, scale, sampling_ratio, aligned):
    return _gradient_of_map(gradient, shape)


def _gradient_of_map(gradient: Tensor, shape: list[int]) -> Tensor:
    return torch.empty(shape, dtype=torch.float32, device=gradient.device,
                       memory_format=torch.channels_last)


def _remember(ctx, inputs, output) -> None:
    feature, rois, _, _, *ctx.settings = inputs
    ctx.shape, ctx.dtype = list(feature.shape), feature.dtype
    ctx.save_for_backward(rois)


def _gradients(ctx, gradient: Tensor) -> tuple:
    total = torch.ops.frcnn_plugin.roi_align_backward(
        gradient, *ctx.saved_tensors, ctx.shape, *ctx.settings)
    return total.to(ctx.dtype), *[None] * 6


_roi_align.register_autograd(_gradients, setup_context=_remember)


def launch(feature: Tensor, rois: Tensor, pooled: Tensor, scale: float,
           sampling_ratio: int, aligned: bool, backward: bool) -> None:
    """Run the kernel from (B, C, H, W) ``feature`` to (R, C, h, w) ``pooled``.

    Both are ``channels_last``. With ``backward`` the gradients in ``pooled`` are added
    to those in ``feature``, which is float32.
    """
    _, channels, height, width = feature.shape
    rows, columns = pooled.shape[2:]
    if not pooled.numel():
        return
    block = min(triton.next_power_of_2(channels), CHANNELS)
    with torch.cuda.device_of(feature):
        cells[len(rois) * rows * columns, triton.cdiv(channels, block)](
            feature, rois.contiguous(), pooled, channels, height, width, rows, columns,
            scale, SAMPLES=max(sampling_ratio, 0), OFFSET=0.5 if aligned else 0.0,
            BACKWARD=backward, BLOCK=block)


@triton.jit
def cells(feature, rois, pooled, channels, height, width, rows, columns, scale,
          SAMPLES: tl.constexpr, OFFSET: tl.constexpr, BACKWARD: tl.constexpr,
          BLOCK: tl.constexpr):
    """A cell of a region: the mean of bilinear samples, or their gradients."""
    cell = tl.program_id(0)
    region, row, column = (cell // (rows * columns), cell // columns % rows,
                           cell % columns)
    here = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    real = here < channels
    box = rois + region * 5
    image = tl.load(box).to(tl.int64) * height * width
    x1, y1 = tl.load(box + 1) * scale - OFFSET, tl.load(box + 2) * scale - OFFSET
    x2, y2 = tl.load(box + 3) * scale - OFFSET, tl.load(box + 4) * scale - OFFSET
    box_width, box_height = x2 - x1, y2 - y1
    if OFFSET == 0.0:
        box_width, box_height = tl.maximum(box_width, 1.0), tl.maximum(box_height, 1.0)
    cell_height, cell_width = box_height / rows, box_width / columns
    if SAMPLES > 0:
        down, across = SAMPLES, SAMPLES
    else:
        down = tl.maximum(tl.ceil(cell_height).to(tl.int32), 0)
        across = tl.maximum(tl.ceil(cell_width).to(tl.int32), 0)
    count = tl.maximum(down * across, 1)
    place = pooled + cell.to(tl.int64) * channels + here
    total = tl.zeros([BLOCK], tl.float32)
    if BACKWARD:
        total = tl.load(place, real, 0.0).to(tl.float32) / count
    sample = 0
    while sample < down * across:
        y = y1 + row * cell_height + (sample // across + 0.5) * cell_height / down
        x = x1 + column * cell_width + (sample % across + 0.5) * cell_width / across
        if (y >= -1.0) & (y <= height) & (x >= -1.0) & (x <= width):
            v, u = tl.maximum(y, 0.0), tl.maximum(x, 0.0)
            top = tl.minimum(v.to(tl.int32), height - 1)
            left = tl.minimum(u.to(tl.int32), width - 1)
            bottom = tl.minimum(top + 1, height - 1)
            right = tl.minimum(left + 1, width - 1)
            b, r = tl.minimum(v - top, 1.0), tl.minimum(u - left, 1.0)
            above, below = image + top * width, image + bottom * width
            a1 = feature + (above + left) * channels + here
            a2 = feature + (above + right) * channels + here
            a3 = feature + (below + left) * channels + here
            a4 = feature + (below + right) * channels + here
            w1, w2 = (1 - b) * (1 - r), (1 - b) * r
            w3, w4 = b * (1 - r), b * r
            if BACKWARD:
                tl.atomic_add(a1, total * w1, real)
                tl.atomic_add(a2, total * w2, real)
                tl.atomic_add(a3, total * w3, real)
                tl.atomic_add(a4, total * w4, real)
            else:
                total += tl.load(a1, real, 0.0).to(tl.float32) * w1
                total += tl.load(a2, real, 0.0).to(tl.float32) * w2
                total += tl.load(a3, real, 0.0).to(tl.float32) * w3
                total += tl.load(a4, real, 0.0).to(tl.float32) * w4
        sample += 1
    if not BACKWARD:
        tl.store(place, (total / count).to(pooled.dtype.element_ty), real)
