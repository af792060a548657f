"""The figures of tools/benchmark.py as tables."""

from argparse import Namespace

from rich.console import Console
from rich.table import Table


def report(args: Namespace, figures: dict) -> None:
    """Print the medians and their ratio."""
    title = (f'{args.task}, {args.device}, {args.precision}, batch {args.batch}, '
             f'{args.size[0]}x{args.size[1]}, medians of {args.repeat}')
    table = Table('', 'median s', 'GFLOP', 'of the best rate', 'peak GiB', 'waits',
                  'ratio', title=title)
    for each in figures['results']:
        table.add_row(each['name'], f'{each["median"]:.4f}',
                      f'{each["flops"] / 1e9:.1f}', percent(each['share']),
                      f'{each["memory"] / 2**30:.2f}', str(each['waits']),
                      f'{each["ratio"]:.2f}')
    Console().print(table)
    best = (f'Best rate: {figures["rate"] / 1e9:.0f} GFLOP/s ({figures["rate_of"]}). '
            if figures['rate'] else '')
    print(f'{best}Processor: {figures["processor"]}. '
          f'Peak memory: {"what torch held" if args.device != "cpu" else "the process"}'
          '. Waits: operators after which the host waits for a GPU.')


def percent(share: float | None) -> str:
    """A share in words; empty if there is none."""
    return '' if share is None else f'{share:.0%}'


def report_sweep(args: Namespace, figures: dict) -> None:
    """Print a line for every value."""
    table = Table('', 'value', 'ours, s', 'peak GiB', 'peer, s', 'peak GiB', 'ratio',
                  title='how the cost grows')
    for row in figures['rows']:
        mine, theirs = row['results']
        value = row['value']
        table.add_row(
            f'{row["task"]}: {row["axis"]}',
            'x'.join(map(str, value)) if isinstance(value, tuple) else str(value),
            f'{mine["median"]:.3f}', f'{mine["memory"] / 2**30:.2f}',
            f'{theirs["median"]:.3f}', f'{theirs["memory"] / 2**30:.2f}',
            f'{theirs["median"] / mine["median"]:.2f}')
    Console().print(table)
