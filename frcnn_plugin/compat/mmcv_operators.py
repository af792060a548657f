"""Stands in for ``mmcv._ext`` with torchvision's kernels.

mmcv's operators are compiled from source for each pair of torch and CUDA; mmcv-lite is
the same Python code without them, and ``import mmdet`` fails on it with ``No module
named 'mmcv._ext'``. torchvision's wheels hold the kernels that Faster R-CNN needs, for
CPU and GPU, and that of deformable convolution. Registered under mmcv's name and
signatures they make all of mmdet importable, and most of its detectors runnable, with
nothing to build.
"""

from types import ModuleType

import torch
import torchvision
from torch import Tensor
from torch.nn.functional import logsigmoid

from . import deformable_convolution

# a plain install builds where there is no torch, and silently leaves the operators out
COMPILED = ('uninstall mmcv-lite and install the compiled mmcv (with torch in place: '
            '`pip install --no-build-isolation "mmcv>=2.0.0,<2.2"`)')


def _nms(bboxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    # offset 1 is the legacy convention, where a box holds its last pixel
    if offset:
        bboxes = bboxes + bboxes.new_tensor([0, 0, offset, offset])
    return torch.ops.torchvision.nms(bboxes, scores, iou_threshold)


def _roi_align_forward(input: Tensor, rois: Tensor, output: Tensor, argmax_y: Tensor,
                       argmax_x: Tensor, aligned_height: int, aligned_width: int,
                       spatial_scale: float, sampling_ratio: int, pool_mode: int,
                       aligned: bool) -> None:
    if pool_mode == 0:
        raise NotImplementedError(
            "RoIAlign with pool_mode='max' is not among torchvision's kernels: use "
            f"pool_mode='avg', or {COMPILED}")
    # half-precision coordinates would be a pixel off on large images
    output.copy_(torch.ops.torchvision.roi_align(
        input.float(), rois.float(), spatial_scale, aligned_height, aligned_width,
        sampling_ratio, aligned))


def _roi_align_backward(grad_output: Tensor, rois: Tensor, argmax_y: Tensor,
                        argmax_x: Tensor, grad_input: Tensor, aligned_height: int,
                        aligned_width: int, spatial_scale: float, sampling_ratio: int,
                        pool_mode: int, aligned: bool) -> None:
    grad_input.copy_(torch.ops.torchvision._roi_align_backward(
        grad_output.float(), rois.float(), spatial_scale, aligned_height,
        aligned_width, *grad_input.shape, sampling_ratio, aligned))


def _roi_pool_forward(input: Tensor, rois: Tensor, output: Tensor, argmax: Tensor,
                      pooled_height: int, pooled_width: int,
                      spatial_scale: float) -> None:
    pooled, indices = torch.ops.torchvision.roi_pool(
        input.float(), rois.float(), spatial_scale, pooled_height, pooled_width)
    output.copy_(pooled)
    argmax.copy_(indices)


def _roi_pool_backward(grad_output: Tensor, rois: Tensor, argmax: Tensor,
                       grad_input: Tensor, pooled_height: int, pooled_width: int,
                       spatial_scale: float) -> None:
    grad_input.copy_(torch.ops.torchvision._roi_pool_backward(
        grad_output.float(), rois.float(), argmax, spatial_scale, pooled_height,
        pooled_width, *grad_input.shape))


def _sigmoid_focal_loss_forward(input: Tensor, target: Tensor, weight: Tensor,
                                output: Tensor, gamma: float, alpha: float) -> None:
    output.copy_(torchvision.ops.sigmoid_focal_loss(
        input.float(), _one_hot(input, target, weight).float(), alpha, gamma))


def _sigmoid_focal_loss_backward(input: Tensor, target: Tensor, weight: Tensor,
                                 grad_input: Tensor, gamma: float, alpha: float
                                 ) -> None:
    # written out: the derivative of (1 - p) ** gamma is infinite for p = 1, gamma < 1
    logits = input.float()
    p, log_p, log_q = logits.sigmoid(), logsigmoid(logits), logsigmoid(-logits)
    of_objects = alpha * (1 - p) ** gamma * (gamma * p * log_p + p - 1)
    of_others = (1 - alpha) * p ** gamma * (p - gamma * (1 - p) * log_q)
    grad_input.copy_(torch.where(_one_hot(input, target, weight), of_objects,
                                 of_others))


def _one_hot(input: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    # (N, C) bool, for (N,) classes of which C is the background
    if weight.numel():
        raise NotImplementedError("mmcv's sigmoid_focal_loss with a weight for each "
                                  f'class is not served: {COMPILED}')
    return target.unsqueeze(1) == torch.arange(input.size(1), device=input.device)


SERVED = dict(
    nms=_nms,
    roi_align_forward=_roi_align_forward, roi_align_backward=_roi_align_backward,
    roi_pool_forward=_roi_pool_forward, roi_pool_backward=_roi_pool_backward,
    sigmoid_focal_loss_forward=_sigmoid_focal_loss_forward,
    sigmoid_focal_loss_backward=_sigmoid_focal_loss_backward,
    **deformable_convolution.SERVED)


class TorchvisionOperators(ModuleType):
    """The module ``mmcv._ext``: served operators work, the others say what to do.

    mmcv looks up every operator when it is imported, so each name must be there; one
    that is not served raises ``NotImplementedError`` when it is called.
    """

    def __getattr__(self, name: str):
        if name.startswith('__'):  # the import system asks for __path__ and the like
            raise AttributeError(name)

        def missing(*args, **kwargs):
            raise NotImplementedError(
                f"mmcv's operator {name!r} is not served by torchvision's kernels "
                f'(served: {", ".join(SERVED)}): {COMPILED}')

        return SERVED.get(name, missing)
