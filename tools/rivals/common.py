"""What the scripts share; needs the standard library alone."""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path


def run(train: Callable, description: str) -> None:
    """Train for the minutes, and write what is found in the test pictures.

    ``train(data, minutes, seed, folder, **options)`` returns a function of the path of
    a picture, which gives its boxes, labels and scores as lists.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('data', type=Path)
    parser.add_argument('detections', type=Path)
    parser.add_argument('--minutes', type=float, required=True)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--model', help='which of the models of this rival')
    args = parser.parse_args()
    data = json.loads(args.data.read_text())
    folder = args.detections.with_suffix('').absolute()
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    detect = train(data, args.minutes, args.seed, folder,
                   **dict(model=args.model) if args.model else {})
    minutes = (time.monotonic() - began) / 60
    found = []
    for picture in data['test']:
        boxes, labels, scores = detect(picture['image'])
        found.append(dict(boxes=boxes, labels=labels, scores=scores))
    args.detections.write_text(json.dumps(dict(minutes=minutes, found=found)))
