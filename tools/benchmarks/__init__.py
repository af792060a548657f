"""The work that tools/benchmark.py times: a task a file, and how it is measured."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'tests'), str(ROOT)]  # the peers stand with the tests
