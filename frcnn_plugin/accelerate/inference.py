"""A trained detector made ready to detect: the same numbers, fewer steps."""

import torch
from mmcv.cnn import fuse_conv_bn
from torch import nn

from .one_graph import FREEZING, OneGraph
from .parts import replace_blocks, replace_parts


def for_inference(detector: nn.Module, compile: bool = False,
                  dtype: torch.dtype | None = None) -> nn.Module:
    """Fold batch normalisations into convolutions and replace plain parts.

    All of it is exact but for rounding: detections stay within the tolerances of the
    parity tests. Convolutions read and write pixels whose channels lie side by side
    (``channels_last``), which the kernels of CPUs and of tensor cores work in anyway;
    on a CPU they add shortcuts and apply ReLUs while they write.

    Args:
        detector: A ``FasterRCNN`` with its weights; it is put into evaluation mode and
            changed in place. It cannot be trained any more.
        compile: Whether it is compiled as well, with its weights as constants: on a
            CPU its layers, on a GPU all of ``detect`` as one CUDA graph
            (:class:`~frcnn_plugin.accelerate.one_graph.OneGraph`). That takes up to a
            minute at the first image, again at the first of another size, and on a CPU
            needs a C++ compiler.
        dtype: The type of ``torch.autocast``: convolutions and linear layers keep their
            weights in it, and the detector runs under it only. Default: float32.

    Returns:
        nn.Module: The detector.
    """
    fold_batch_norms(detector)
    detector.to(memory_format=torch.channels_last)
    replace_parts(detector)
    replace_blocks(detector)
    if dtype is not None:
        for part in detector.modules():
            if type(part) in (nn.Conv2d, nn.Linear):
                part.to(dtype)
    if compile and OneGraph.fits(detector):
        detector.detect = OneGraph(detector)
    elif compile:
        compile_layers(detector)
    return detector


def fold_batch_norms(detector: nn.Module) -> nn.Module:
    """Fold batch normalisations into the convolutions before them.

    The detector is put into evaluation mode, and its weights get no gradients.
    """
    fuse_conv_bn(detector.eval())
    return detector.requires_grad_(False)


def compile_layers(detector: nn.Module) -> None:
    """Compile the layers with weights, and the pooling where there is one level."""
    roi_head = detector.roi_head
    parts = [detector.backbone, detector.neck, detector.rpn_head]
    if hasattr(roi_head, 'predict_regions') and getattr(
            roi_head.bbox_roi_extractor, 'num_inputs', 0) == 1:
        roi_head.predict_regions = torch.compile(
            roi_head.predict_regions, options=FREEZING)
    elif roi_head is not None:
        # what is pooled from which level depends on the data, which no graph may
        parts += [getattr(roi_head, 'shared_head', None), roi_head.bbox_head]
    for part in parts:
        if part is not None:
            part.compile(options=FREEZING)
