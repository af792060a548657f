"""Other implementations beside ours, with the same weights, for tools and tests."""

from pathlib import Path

STORED = Path(__file__).parent / 'stored'  # by tools/store_numbers.py
