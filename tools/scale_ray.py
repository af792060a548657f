"""Does a cluster that loses a worker find every picture once, and what do two add?

    python tools/scale_ray.py CHECKPOINT [--pictures 2000] [--sleep 0.02]

A cluster of two nodes on this machine, generated pictures in a store that speaks S3.
While it detects, a worker is killed (SIGKILL); its detections are compared with those
of ``frcnn detect`` on the same files. Then one worker and two, which sleep so many
seconds a picture. Ends with status 1 if a picture is missing, counted twice, or if
something else was found in it.
"""

import argparse
import contextlib
import io
import json
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.dataset
import pyarrow.fs
import ray
import torch
from moto.server import ThreadedMotoServer
from ray.cluster_utils import Cluster

from frcnn_plugin.commands.detect import detect
from frcnn_plugin.prepare.make_shapes import make_shapes
from frcnn_plugin.stream.lines import row_of
from frcnn_plugin.stream.on_ray import detect_on_ray
from frcnn_plugin.stream.parquet import table_of

NAME = 'ray::MapWorker'  # of the processes that hold detectors
KILL_AFTER = 50  # pictures a second, roughly: halfway
PATIENCE = 300  # seconds, until such a process is there


class Sleeper:
    """Sleeps for each picture, and finds nothing.

    Args:
        files, root: Of a worker that detects.
        seconds: How long.
    """

    def __init__(self, files: ray.ObjectRef, root: str, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, batch: pa.Table) -> pa.Table:
        """A row for each."""
        time.sleep(self.seconds * len(batch))
        return table_of([row_of(path, error='asleep')
                         for path in batch['path'].to_pylist()])


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('checkpoint')
    parser.add_argument('--pictures', type=int, default=2000, metavar='N')
    parser.add_argument('--sleep', type=float, default=0.02, metavar='SECONDS')
    args = parser.parse_args()
    logging.getLogger('werkzeug').setLevel(logging.ERROR)
    server = ThreadedMotoServer(port=0, verbose=False)
    with contextlib.redirect_stdout(io.StringIO()):
        server.start()
    port = server.get_host_and_port()[1]
    url = f'http://127.0.0.1:{port}'
    os.environ.update(AWS_ENDPOINT_URL=url, AWS_REGION='us-east-1',
                      AWS_ACCESS_KEY_ID='a', AWS_SECRET_ACCESS_KEY='b')
    store = pyarrow.fs.S3FileSystem(endpoint_override=url, allow_bucket_creation=True)
    store.create_dir('bucket')
    try:
        with tempfile.TemporaryDirectory() as folder:
            make_shapes(Path(folder) / 'shapes', dict(test=args.pictures), seed=0)
            pictures = Path(folder) / 'shapes/JPEGImages'
            pyarrow.fs.copy_files(str(pictures), 'bucket/pictures',
                                  destination_filesystem=store)
            return kill_a_worker(args, pictures, store) + compare_workers(args)
    finally:
        server.stop()


def kill_a_worker(args: argparse.Namespace, pictures: Path,
                  store: pyarrow.fs.FileSystem) -> int:
    """Compare what a cluster finds that loses a worker with what one process does."""
    alone = pictures.parent / 'alone'
    torch.set_num_threads(1)  # as Ray's workers: sums are rounded in the same order
    options = ('--device', 'cpu', '--score-thr', '0.05', '--batch-size', '1')
    detect([str(pictures), args.checkpoint, '-o', str(alone), '--no-pictures',
            *options])  # one at a time: others in a batch are a border to a picture
    lines = {line['file_name']: line for line in map(
        json.loads, (alone / 'detections.jsonl').open())}
    with cluster(2) as address:
        killed: list[int] = []
        killer = threading.Thread(target=kill_one_worker, daemon=True,
                                  args=(killed, args.pictures / KILL_AFTER))
        killer.start()
        detect(['s3://bucket/pictures', args.checkpoint, '-o', 's3://bucket/found',
                '--engine', 'ray', '--address', address, *options])
    rows = pyarrow.dataset.dataset('bucket/found', filesystem=store).to_table()
    names = Counter(rows['file_name'].to_pylist())
    same = sum(alike(row, lines[row['file_name']]) for row in rows.to_pylist())
    print(f'{len(killed)} worker killed; {len(names)} of {len(lines)} pictures, '
          f'{sum(count > 1 for count in names.values())} of them twice, {same} with '
          'the same detections')
    return int(not killed or names != Counter(dict.fromkeys(lines, 1))
               or same != len(lines))


def alike(row: dict, line: dict) -> bool:
    """Whether both have the same detections, but for rounding."""
    mine, theirs = row['detections'], line['detections']
    return len(mine) == len(theirs) and all(
        one['category'] == other['category']
        and np.allclose(one['bbox'], other['bbox'], atol=0.05)
        and abs(one['score'] - other['score']) < 1e-3
        for one, other in zip(mine, theirs, strict=True))


def kill_one_worker(killed: list[int], seconds: float) -> None:
    """Kill a process that detects, when it has done so for a while, and note it."""
    deadline = time.monotonic() + PATIENCE
    while not (found := [child.pid for child in psutil.Process().children(True)
                         if NAME in ' '.join(child.cmdline())]):
        if time.monotonic() > deadline:
            return
        time.sleep(0.1)
    time.sleep(seconds)
    os.kill(found[0], signal.SIGKILL)
    killed.append(found[0])


def compare_workers(args: argparse.Namespace) -> int:
    """Say how much quicker two workers are that sleep, than one."""
    took = []
    for number in (1, 2):
        with cluster(number) as address:
            began = time.monotonic()
            detect_on_ray('s3://bucket/pictures', f's3://bucket/asleep_{number}',
                          address, 16, {}, kind=Sleeper, seconds=args.sleep)
            took.append(time.monotonic() - began)
    print(f'one worker {took[0]:.0f} s, two {took[1]:.0f} s: {took[0] / took[1]:.2f} '
          'times as quick')
    return 0


@contextlib.contextmanager
def cluster(workers: int):
    """Two nodes with room for so many workers, and for reading; their address."""
    nodes = Cluster(initialize_head=True, head_node_args=dict(num_cpus=workers))
    nodes.add_node(num_cpus=1)
    try:
        yield nodes.address
    finally:
        ray.shutdown()
        nodes.shutdown()


if __name__ == '__main__':
    sys.exit(main())
