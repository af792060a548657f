"""Each part of accelerate/ beside the plain one: is the faster of the two in use?"""

import statistics
from argparse import Namespace

from rich.console import Console
from rich.table import Table

from .alternatives import ALTERNATIVES
from .measure import count_flops, in_precision, in_turn
from .pairs import agree
from .rate import BestRate, processor

SLOWER = 1.15  # times as many seconds: what is measured varies by less
ROUNDED = 5e-2  # of the largest value, how much results differ in other precisions


def kernels(args: Namespace) -> dict:
    """Each alternative of which the name has ``--only`` in it.

    Returns:
        dict: ``rows`` with ``name``, medians ``plain`` and ``other`` in seconds,
        ``ratio``, ``in_use`` and ``wrong``; and the best rate.
    """
    chosen = {name: make for name, make in ALTERNATIVES.items()
              if (args.only or '') in name}
    if not chosen:
        raise SystemExit(f'error: --only {args.only}: no kernel has that in its '
                         f'name; there are {"; ".join(ALTERNATIVES)}')
    best, rows = BestRate(args), []
    for name, make in chosen.items():
        pair = make(args)
        plain, other = (in_precision(args, run) for run in (pair.plain, pair.other))
        expected = plain()
        largest = expected.abs().max().clamp(min=1e-6)
        agree(name, other() / largest, expected / largest,
              pair.tolerance if args.precision == 'fp32' else ROUNDED)
        times = in_turn(args, dict(plain=plain, other=other, best=best))
        rate = best.rate(times.pop('best'))
        row = dict(name=name, in_use=pair.in_use)
        for way, run in (('plain', plain), ('other', other)):
            row[way] = statistics.median(times[way])
            row[f'{way}_share'] = count_flops(run) / row[way] / rate
        row['ratio'] = row['plain'] / row['other']
        used, left = ('other', 'plain') if pair.in_use else ('plain', 'other')
        row['wrong'] = all(of(times[used]) > SLOWER * of(times[left])
                           for of in (min, statistics.median))
        rows.append(row)
    return dict(rows=rows, rate=rate, rate_of=str(best), processor=processor())


def report_kernels(args: Namespace, figures: dict) -> int:
    """Print a line for every alternative; 1 if the slower one of some is in use."""
    table = Table('', 'plain, s', 'share', 'other, s', 'share', 'ratio', 'in use',
                  title=f'{args.precision}, {args.size[0]}x{args.size[1]}, medians of '
                  f'{args.repeat}')
    for row in figures['rows']:
        shares = (f'{row[name]:.0%}' if row[name] else ''
                  for name in ('plain_share', 'other_share'))
        table.add_row(
            row['name'], f'{row["plain"]:.4f}', next(shares), f'{row["other"]:.4f}',
            next(shares), f'{row["ratio"]:.2f}',
            ('other' if row['in_use'] else 'plain') + ', wrongly' * row['wrong'])
    Console().print(table)
    print(f'Best rate: {figures["rate"] / 1e9:.0f} GFLOP/s ({figures["rate_of"]}). '
          f'Processor: {figures["processor"]}. Shares are of the best rate.')
    wrong = [row['name'] for row in figures['rows'] if row['wrong']]
    if wrong:
        print(f'the slower one is in use: {"; ".join(wrong)}')
    return int(bool(wrong))
