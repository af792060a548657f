"""The checkpoint to go on from: the newest that is whole.

Comes in: a work dir. Goes out: a path and its content, or None.
"""

from collections.abc import Callable
from pathlib import Path

from ...errors import UserError
from ...io.checkpoints import read_checkpoint

NEEDED = ('meta', 'optimizer', 'message_hub')  # to go on, beside the weights


def check_resumable(content: dict, path: str | Path) -> None:
    """Refuse a checkpoint that training can not go on from.

    Raises:
        UserError: If it holds weights only, or a config that mmengine would run.
    """
    lacking = [key for key in NEEDED if key not in content]
    if lacking:
        raise UserError(f'{path}: holds weights only, without {", ".join(lacking)}; '
                        'training can start from it (--cfg-options load_from=FILE), '
                        'but not go on')
    if not isinstance(content['meta'], dict) or 'config' in content['meta']:
        # mmengine itself writes `cfg`; what is called `config` it runs when it resumes
        raise UserError(f'{path}: refused, its meta holds a config that would be run')


def find_latest(work_dir: str | Path,
                warn: Callable[[str], None]) -> tuple[str, dict] | None:
    """The newest checkpoint in a work dir that training can go on from.

    Args:
        work_dir: Where a run left its checkpoints, or the file ``last_checkpoint``
            that says where they are.
        warn: Is told of each newer one that is damaged.

    Returns:
        tuple: Path and content, or None if there is none at all.

    Raises:
        UserError: If there are some, and all are damaged.
    """
    folder = Path(work_dir)
    found = {path for path in folder.glob('*.pth')
             if not path.name.startswith('best_')}
    pointer = folder / 'last_checkpoint'
    if pointer.is_file():
        named = Path(pointer.read_text().strip() or '.')
        if named.is_file():
            found.add(named)
    seen, wrong = set(), []
    for path in sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True):
        if path.resolve() in seen:
            continue
        seen.add(path.resolve())
        try:
            content = read_checkpoint(path)
            check_resumable(content, path)
            return str(path), content
        except UserError as error:
            warn(f'warning: {error}; passed over')
            wrong.append(error)
    if wrong:
        raise UserError(f'{folder}: none of {len(wrong)} checkpoints can be gone on '
                        f'from; start anew in another --work-dir. {wrong[0]}')
    return None
