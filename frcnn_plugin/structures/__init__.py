"""The padded batches that flow between the stages."""

from .padded import (
    AnchorTargets,
    Detections,
    GroundTruth,
    Proposals,
    RoISamples,
    bbox2roi,
)

__all__ = ['AnchorTargets', 'Detections', 'GroundTruth', 'Proposals', 'RoISamples',
           'bbox2roi']
