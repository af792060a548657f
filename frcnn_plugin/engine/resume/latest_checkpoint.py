"""Finds the newest checkpoint that training can resume from."""

from collections.abc import Callable
from pathlib import Path

from ...errors import CheckpointError, NoResumableCheckpointError, NotResumableError
from ...io.checkpoints import read_checkpoint

NEEDED = ('meta', 'optimizer', 'message_hub')  # besides the weights


def check_resumable(content: dict, path: str | Path) -> None:
    """Refuse the content of a checkpoint that training cannot resume from.

    Raises:
        NotResumableError: If it holds weights only.
        CheckpointError: If it holds a config that mmengine would run.
    """
    missing = [key for key in NEEDED if key not in content]
    if missing:
        raise NotResumableError(f'{path}: holds weights only, without '
                                f'{", ".join(missing)}; training can start from it, '
                                'but not resume')
    if not isinstance(content['meta'], dict) or 'config' in content['meta']:
        # mmengine itself writes `cfg`; what is called `config` it runs when it resumes
        raise CheckpointError(
            f'{path}: refused, its meta holds a config that would be run')


def find_latest(work_dir: str | Path,
                warn: Callable[[str], None]) -> tuple[str, dict] | None:
    """The path and content of the newest checkpoint that training can resume from.

    It is in the work dir, or where ``last_checkpoint`` there says; files called
    ``best_*`` or ``detector.*`` are passed over. ``warn`` is called with a message for
    each newer one that cannot be used. None if there is no checkpoint at all.

    Raises:
        NoResumableCheckpointError: If training can resume from none of those there.
    """
    folder = Path(work_dir)
    found = [path for path in folder.glob('*.pth')
             if not path.name.startswith(('best_', 'detector.'))]
    pointer = folder / 'last_checkpoint'
    if pointer.is_file():
        named = Path(pointer.read_text().strip() or '.')
        if named.is_file():
            found.append(named)
    errors = []
    for path in sorted({path.resolve(): path for path in found}.values(), reverse=True,
                       key=lambda path: path.stat().st_mtime_ns):
        try:
            content = read_checkpoint(path)
            check_resumable(content, path)
            return str(path), content
        except CheckpointError as error:
            warn(f'warning: {error}; skipped')
            errors.append(error)
    if errors:
        raise NoResumableCheckpointError(
            f'{folder}: training cannot resume from any checkpoint, {len(errors)} '
            f'tried; the newest: {errors[0]}')
    return None
