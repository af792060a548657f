"""Weights in and out: checkpoints of other code bases into ours, and back."""

from .peers import PEERS, Peer, recognise

__all__ = ['PEERS', 'Peer', 'recognise']
