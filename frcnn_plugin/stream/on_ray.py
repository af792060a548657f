"""Detecting on a cluster: Ray's readers, its scheduling and its Parquet writer."""

import re
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset
import ray
from pyarrow.fs import FileSelector, FileSystem, FileType
from ray.exceptions import RayError

from ..errors import OutputExistsError, UserError
from ..inference import Detector
from ..inference.tiled_detector import TiledDetector
from ..io.large_image import allow_large_pictures
from .lines import row_of
from .parquet import table_of
from .sources import IMAGES

RAISED = re.compile(r'([\w.]+\.)?\w*(Error|Exception): ')  # a traceback's last line
STORES_SAY = {
    'ACCESS_DENIED|INVALID_ACCESS_KEY_ID|SIGNATURE_DOES_NOT_MATCH|HTTP status 40[13]':
        'the store refuses these credentials; check them in the environment, also on '
        'the other nodes: ',
    'SLOW_DOWN|SERVICE_UNAVAILABLE|HTTP status 503':
        'the store is too busy to answer, try again later: '}
DEATHS = 5  # of workers while they start, one after another, until it is given up


class Worker:
    """A detector in a process of the cluster, which may be on another machine.

    Args:
        files: The contents of its checkpoint and its config, by name, in the cluster.
        checkpoint: The name of the checkpoint.
        config: The name of the config, if there is one.
        tiles: The size and the overlap of tiles, if any.
        thresholds: The least score, or that of each class, (C,).
        root: What names are relative to.
        options: Of :class:`Detector`.
    """

    def __init__(self, files: ray.ObjectRef, checkpoint: str, config: str | None,
                 tiles: tuple[int, float] | None, thresholds: float | np.ndarray,
                 root: str, **options) -> None:
        allow_large_pictures()
        with tempfile.TemporaryDirectory() as folder:
            for name, content in ray.get(files).items():
                (Path(folder) / name).write_bytes(content)
            self.detector: Detector = Detector(
                Path(folder) / checkpoint, config and Path(folder) / config, **options)
        if tiles:
            self.detector = TiledDetector(self.detector, *tiles)
        self.thresholds, self.root = thresholds, root

    def __call__(self, batch: pa.Table) -> pa.Table:
        """The rows of a batch with columns ``path`` and ``bytes``."""
        images = [self.read(content.as_py()) for content in batch['bytes']]
        good = [image for image in images if not isinstance(image, UserError)]
        found = iter(self.detector.detect(good) if good else [])
        rows = []
        for path, image in zip(batch['path'].to_pylist(), images, strict=True):
            name = path.removeprefix(self.root).lstrip('/')
            rows.append(
                row_of(name, error=str(image).removeprefix('in memory: '))
                if isinstance(image, UserError) else
                row_of(name, image.shape[:2], next(found).above(self.thresholds)))
        return table_of(rows)

    def read(self, content: bytes) -> np.ndarray | UserError:
        """A picture, or what is wrong with it."""
        try:
            return self.detector.read(content)
        except UserError as error:
            return error


def detect_on_ray(source: str, out: str, address: str | None, batch_size: int,
                  files: dict[str, bytes], kind: type = Worker, **worker
                  ) -> dict[str, int]:
    """Detect in all pictures of a folder, and write a Parquet row for each.

    A worker that dies is replaced, and its pictures are detected in again.

    Args:
        source: A folder, or a URI such as ``s3://bucket/pictures``.
        out: A new folder or URI for the Parquet files.
        address: Of the cluster; None: that of ``RAY_ADDRESS``, or one that runs on
            this machine, or a new one there.
        batch_size: Pictures at once.
        files: What each worker needs, by name.
        kind: The class of the workers, which are called with the batches.
        **worker: Further arguments of that class.

    Returns:
        dict: How many ``images``, ``unread`` and ``detections`` there are.

    Raises:
        OutputExistsError: If there is something in ``out``.
        UserError: If something cannot be read or written, or a worker fails.
    """
    try:
        inputs, root = FileSystem.from_uri(in_full(source))
        target, place = FileSystem.from_uri(in_full(out))
        if inputs.get_file_info(root).type != FileType.Directory:
            raise UserError(f'{source}: no such folder')
        if target.get_file_info(FileSelector(place, allow_not_found=True)):
            raise OutputExistsError(f'{out}: is not empty')
        start(address)
        cluster = ray.cluster_resources()
        gpus = int(cluster.get('GPU', 0))
        pictures = ray.data.read_binary_files(
            root, filesystem=inputs, include_paths=True,
            file_extensions=[suffix[1:] for suffix in IMAGES])
        most = gpus or max(1, int(cluster['CPU']) - 1)  # one is left for reading
        pictures.map_batches(
            kind, batch_size=batch_size, batch_format='pyarrow',
            num_gpus=min(1, gpus),
            compute=ray.data.ActorPoolStrategy(size=most),
            fn_constructor_kwargs=dict(worker, files=ray.put(files), root=root)
        ).write_parquet(place, filesystem=target)
        return counts(pyarrow.dataset.dataset(place, filesystem=target))
    except RayError as error:
        raise UserError(in_plain_words(source, out, reason_of(error))) from error
    except (OSError, ValueError, pa.ArrowException) as error:
        said = str(error).splitlines()[0]
        raise UserError(in_plain_words(source, out, said)) from error


def in_plain_words(source: str, out: str, said: str) -> str:
    """What went wrong between two places, with what it means if a store said so."""
    meaning = next((text for pattern, text in STORES_SAY.items()
                    if re.search(pattern, said)), '')
    return f'{source} to {out}: {meaning}{said}'


def in_full(place: str) -> str:
    """A URI, or the whole path of a folder here."""
    return place if '://' in place else str(Path(place).expanduser().absolute())


def start(address: str | None) -> None:
    """Connect to a cluster, or start one."""
    if not ray.is_initialized():
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    context = ray.data.DataContext.get_current()
    context.max_consecutive_actor_init_deaths = DEATHS


def reason_of(error: RayError) -> str:
    """What was raised in another process, out of a text that holds its traceback."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    raised = [line for line in lines if RAISED.match(line)]
    return (raised or lines)[-1]


def counts(rows: pyarrow.dataset.Dataset) -> dict[str, int]:
    """What the rows tell, read a part at a time."""
    total = dict(images=0, unread=0, detections=0)
    for batch in rows.to_batches(columns=['error', 'detections']):
        unread = len(batch) - batch['error'].null_count
        total['unread'] += unread
        total['images'] += len(batch) - unread
        total['detections'] += len(batch['detections'].flatten())
    return total
