"""Metrics of detections and of proposals.

What a detector without torch needs imports neither torch nor mmdet; the registered
metrics do, and are imported when they are used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={
    'box_ap': ['BoxAP'], 'proposal_recall': ['ProposalRecall'],
    'voc_metric': ['VOCMetric']})
