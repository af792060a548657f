"""Writes the tables of the docs that the tools measure."""

from collections.abc import Iterable, Sequence
from pathlib import Path


def write_table(file: Path, name: str, head: Sequence[str],
                rows: Iterable[Sequence[str]]) -> None:
    """Replace what is between ``<!-- name -->`` and ``<!-- end of name -->``.

    Args:
        file: A document with the two marks.
        name: The name in them.
        head: The titles of the columns.
        rows: The cells.
    """
    begin, end = f'<!-- {name} -->\n', f'<!-- end of {name} -->\n'
    before, found, rest = file.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f'error: {file} lacks the marks of the table, {begin.strip()} '
                         f'and {end.strip()}')
    file.write_text(before + begin + table_text(head, rows) + end + after)


def table_text(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The lines of a table."""
    lines = [head, ['---'] * len(head), *rows]
    return ''.join(f'| {" | ".join(cells)} |\n' for cells in lines)
