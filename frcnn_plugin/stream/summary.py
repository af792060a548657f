"""What results hold, in numbers."""

import json
from dataclasses import dataclass, field
from pathlib import Path

SHOWN = 20  # pictures that could not be read, by name


@dataclass
class Summary:
    """What results hold.

    Attributes:
        images: Pictures that were read.
        videos: Videos that were read.
        detections: All of them.
        unread: Pictures and videos that could not be read.
        broken: The names of the first of these, and why.
    """

    images: int = 0
    videos: int = 0
    detections: int = 0
    unread: int = 0
    broken: list[tuple[str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        parts = [f'{count} {what}{"s" * (count != 1)}' for count, what in (
            (self.images, 'image'), (self.videos, 'video')) if count or what == 'image']
        return f'{self.detections} detections in {" and ".join(parts)}'


def summary_of(results: Path) -> Summary:
    """Count, without parsing the lines."""
    summary, video = Summary(), b''
    with results.open('rb') as lines:
        for line in lines:
            end = line.index(b'", "') + 2  # of the name, in which quotes are escaped
            rest = line[end:]
            if rest.startswith(b' "error"'):
                summary.unread += 1
                if len(summary.broken) < SHOWN:
                    told = json.loads(line)
                    summary.broken.append((told['file_name'], told['error']))
            elif rest.startswith(b' "frame"'):
                summary.videos += line[:end] != video
            else:
                summary.images += 1
            video = line[:end] if rest.startswith(b' "frame"') else b''
            summary.detections += rest.count(b'"category_id": ')
    return summary
