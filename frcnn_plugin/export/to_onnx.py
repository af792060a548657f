"""The graph in the format ONNX, which onnxruntime and others run."""

import json
from pathlib import Path

import torch

from .graph import GraphDetector, export_graph

LOWEST = -1e38  # a score that is below all others


def save_onnx(graph: GraphDetector, path: str | Path, notes: dict) -> None:
    """Write a detector.

    ``notes``, what a program must know of it, are kept as JSON under ``frcnn_plugin``.
    """
    program = in_onnx(graph)
    program.model.metadata_props['frcnn_plugin'] = json.dumps(notes)
    program.save(path, external_data=False)


def in_onnx(graph: GraphDetector) -> torch.onnx.ONNXProgram:
    """A detector in memory."""
    return torch.onnx.export(
        export_graph(graph), dynamo=True, opset_version=18, verbose=False,
        input_names=['image'], output_names=['boxes', 'scores', 'labels', 'index'],
        custom_translation_table={
            torch.ops.frcnn_plugin.masked_nms.default: masked_nms_in_onnx,
            torch.ops.torchvision.roi_pool.default: roi_pool_in_onnx})


def masked_nms_in_onnx(bboxes, scores, mask, groups=None, iou_thr: float = 0.5,
                       num: int = -1):
    """Our suppression by ONNX's, whose classes are our groups; see ``ops``."""
    from onnxscript import opset18 as op
    lowest = op.Constant(value_float=LOWEST)
    ranked = op.Unsqueeze(op.Where(mask, scores, lowest), op.Constant(value_ints=[1]))
    if groups is not None:
        one = op.Constant(value_int=1)
        number = op.Add(op.ReduceMax(groups, keepdims=0), one)
        every = op.Range(op.Constant(value_int=0), number, one)
        here = op.Equal(op.Unsqueeze(groups, op.Constant(value_ints=[1])),
                        op.Unsqueeze(every, op.Constant(value_ints=[0, 2])))
        ranked = op.Where(here, ranked, lowest)
    most = num if num > 0 else 2**31 - 1
    boxes = op.Reshape(bboxes, op.Constant(value_ints=[0, -1, 4]))  # says that it is 4
    found = op.NonMaxSuppression(
        boxes, ranked, op.Constant(value_ints=[most]),
        op.Constant(value_floats=[float(iou_thr)]),
        op.Constant(value_floats=[LOWEST / 10]))
    places = op.Gather(found, op.Constant(value_ints=[0, 2]), axis=1)  # image, box
    stays = op.CastLike(op.ConstantOfShape(op.Shape(mask)), mask)
    kept = op.Expand(op.Cast(op.Constant(value_int=1), to=9),
                     op.Shape(places, start=0, end=1))
    return op.ScatterND(stays, places, kept)


def roi_pool_in_onnx(feature, rois, spatial_scale: float, pooled_height: int,
                     pooled_width: int):
    """RoIPool, on which torch's own translation fails."""
    from onnxscript import opset18 as op
    pooled = op.MaxRoiPool(feature, rois, pooled_shape=[pooled_height, pooled_width],
                           spatial_scale=spatial_scale)
    return pooled, op.Shape(pooled)  # the places of the maxima are for gradients only
