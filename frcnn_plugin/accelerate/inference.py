"""A trained detector made ready to detect: the same numbers, fewer steps.

Comes in: a detector. Goes out: the same one, changed in place, which can not be trained
any more.
"""

import torch
from mmcv.cnn import fuse_conv_bn
from torch import nn


def for_inference(detector: nn.Module, compile: bool = False) -> nn.Module:
    """Fold batch normalisations into convolutions and order memory by pixels.

    Both are exact but for rounding: detections stay within the tolerances of the parity
    tests. Convolutions read and write pixels whose channels lie side by side
    (``channels_last``), which the kernels of CPUs and of tensor cores work in anyway.

    Args:
        detector: A ``FasterRCNN`` with its weights; it is put into evaluation mode.
        compile: Whether its layers are compiled as well, with their weights as
            constants. That takes a minute at the first image, again at the first of
            another size, and on a CPU needs a C++ compiler.

    Returns:
        nn.Module: The detector.
    """
    fuse_conv_bn(detector.eval())
    detector.requires_grad_(False).to(memory_format=torch.channels_last)
    if compile:
        for part in (detector.backbone, detector.neck, detector.rpn_head):
            if part is not None:
                part.compile(options=FREEZING)
        if detector.roi_head is not None:
            compile_head(detector.roi_head)
    return detector


FREEZING = dict(freezing=True)


def compile_head(roi_head: nn.Module) -> None:
    """Compile the second stage, with its pooling where there is one level."""
    if getattr(roi_head.bbox_roi_extractor, 'num_inputs', 0) == 1 and hasattr(
            roi_head, 'run_regions'):
        roi_head.run_regions = torch.compile(roi_head.run_regions, options=FREEZING)
        return
    # what is pooled from which level depends on the data, which no graph may
    for part in (roi_head.shared_head, roi_head.bbox_head):
        if part is not None:
            part.compile(options=FREEZING)
