"""Selective search: regions that may contain an object, found without learning."""

from importlib import metadata

import cv2
import numpy as np

from ..errors import NoSelectiveSearchError


def selective_search(image_bgr: np.ndarray, num: int, quality: bool = False,
                     max_side: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The regions of an image.

    The same image gives the same regions in the same order, in any process.

    Source: Uijlings et al., Selective Search for Object Recognition, IJCV 2013, in
    OpenCV's implementation; R-CNN (arXiv:1311.2524), section 2.1, uses about 2000
    regions of its fast mode.

    Args:
        image_bgr: (H, W, 3) uint8.
        num: Regions to return at most.
        quality: Whether to search in more colour spaces and scales: more regions, and
            several times slower.
        max_side: An image with a longer side, in pixels, is shrunk to it for the
            search; 0 for never.

    Returns:
        tuple: (n, 4) float32 boxes (x1, y1, x2, y2) in pixels of the image, as
        edges: (0, 0, W, H) is the whole image. No two are the same. And (n,) float32
        scores in (0, 1], which only give their order, best first.

    Raises:
        NoSelectiveSearchError: If OpenCV is built without its contrib modules.
    """
    require_contrib()
    height, width = image_bgr.shape[:2]
    scale = max_side / max(height, width)
    if 0 < scale < 1:
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        image_bgr = cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA)
    search = cv2.ximgproc.segmentation.createSelectiveSearchSegmentation()
    search.setBaseImage(image_bgr)
    if quality:
        search.switchToSelectiveSearchQuality()
    else:
        search.switchToSelectiveSearchFast()
    found = np.asarray(search.process()).reshape(-1, 4)  # x, y, width, height
    found = np.unique(found[(found[:, 2:] > 0).all(1)], axis=0)
    found = found[_ranking(found)][:num]
    found[:, 2:] += found[:, :2]  # now x2, y2
    factor = width / image_bgr.shape[1], height / image_bgr.shape[0]
    scores = np.linspace(1, 0, len(found), endpoint=False)
    return (found * np.tile(factor, 2)).astype(np.float32), scores.astype(np.float32)


def require_contrib() -> None:
    """Raise :class:`NoSelectiveSearchError` if OpenCV is built without it."""
    if not hasattr(getattr(cv2, 'ximgproc', None), 'segmentation'):
        raise NoSelectiveSearchError(
            'selective search is one of the contrib modules of OpenCV, which '
            f'{cv2.__file__}, version {_version()}, lacks')


def _ranking(found: np.ndarray) -> np.ndarray:
    """Indices of (n, 4) boxes (x, y, width, height), best first.

    OpenCV's own order cannot be reproduced: it comes from C's ``rand()``, which
    ``cv2.setRNGSeed`` does not reach, and puts small regions first where the paper
    (section 3.3) puts large ones. So its set of regions is ranked here as in the paper:
    by a random number times the position in the hierarchy, largest region first.
    """
    positions = np.empty(len(found))
    by_size = np.argsort(-found[:, 2:].prod(1), kind='stable')
    positions[by_size] = np.arange(1, len(found) + 1)
    return np.argsort(np.random.default_rng(0).random(len(found)) * positions)


def _version() -> str:
    """The version of the installed OpenCV package."""
    for package in ('opencv-python', 'opencv-python-headless', 'opencv-contrib-python',
                    'opencv-contrib-python-headless'):
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return f'{cv2.__version__}.*'
