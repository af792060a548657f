"""The work that tools/benchmark.py times: a task a file, and how it is measured."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
