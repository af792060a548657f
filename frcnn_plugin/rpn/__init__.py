"""Feature map -> proposals: the region proposal network."""

from .anchor_generator import AnchorGenerator
from .anchor_target_sampler import AnchorTargetSampler
from .proposal_creator import ProposalCreator
from .rpn_head import RPNHead

__all__ = ['AnchorGenerator', 'AnchorTargetSampler', 'ProposalCreator', 'RPNHead']
