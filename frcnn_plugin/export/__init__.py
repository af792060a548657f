"""The whole detector as one graph in a file, for programs without this package."""

from .graph import GraphDetector, export_graph
from .to_onnx import save_onnx

__all__ = ['GraphDetector', 'export_graph', 'save_onnx']
