"""Do data sets that people keep come in with no option but the folder?

    python tools/try_wild.py CLONES [--write docs/wild.md]

Each data set of ``tools/wild_sets.jsonl`` is prepared, checked, trained on for 6 steps,
tested and detected in, as a new user would, and every box of the prepared folder is
looked for by a second reader (``wild_reading.py``). CLONES holds the repositories, each
checked out in a folder ``OWNER+NAME``, at the revision that the list gives.
"""

import argparse
import contextlib
import io
import json
import multiprocessing
import shutil
import time
from datetime import date
from pathlib import Path

from markdown_table import write_table
from wild_reading import displaced

from frcnn_plugin.commands.check_dataset import check_dataset
from frcnn_plugin.commands.detect import detect
from frcnn_plugin.commands.frcnn import exit_with_one_line
from frcnn_plugin.commands.prepare import prepare
from frcnn_plugin.commands.test import test
from frcnn_plugin.commands.train import train

TOOLS = Path(__file__).resolve().parent
CONFIG = 'frcnn_r18_c4_bccd'
LONGEST = 600  # seconds for one data set
HEAD = ('data set', 'revision', 'licence', 'pictures', 'used', 'boxes', 'used',
        'displaced', 'prepare', 'check', 'train', 'test', 'detect')


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('clones', type=Path, metavar='CLONES')
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/wild'))
    parser.add_argument('--only', nargs='+', metavar='REPOSITORY')
    parser.add_argument('--every', type=int, default=1, metavar='N',
                        help='every N-th data set only')
    parser.add_argument('--steps', type=int, default=6)
    parser.add_argument('--write', type=Path, metavar='FILE',
                        help='replace the table in this document')
    args = parser.parse_args()
    sets = [json.loads(line) for line in (
        TOOLS / 'wild_sets.jsonl').read_text().splitlines()][::args.every]
    args.work_dir.mkdir(parents=True, exist_ok=True)
    log = args.work_dir / 'results.jsonl'
    done = {json.loads(line)['name']: json.loads(line)
            for line in log.read_text().splitlines()} if log.exists() else {}
    for number, each in enumerate(sets, start=1):
        name = f'{each["repo"]}/{each["folder"]}'.rstrip('/')
        if name in done or (args.only and each['repo'] not in args.only):
            continue
        begin = time.time()
        result = dict(each, name=name, **in_a_process(each, args))
        done[name] = result
        with open(log, 'a') as file:
            file.write(json.dumps(result) + '\n')
        print(f'{number}/{len(sets)} {name}: {result["said"]} '
              f'({time.time() - begin:.0f} s)', flush=True)
    if args.write:
        write(args.write, [done[name] for name in done])


def in_a_process(each: dict, args: argparse.Namespace) -> dict:
    """Try one data set apart from the others."""
    pipe, end = multiprocessing.get_context('fork').Pipe()
    process = multiprocessing.get_context('fork').Process(
        target=lambda: end.send(attempt(each, args)))
    process.start()
    try:
        return pipe.recv() if pipe.poll(LONGEST) else dict(
            steps={}, said=f'not done after {LONGEST} s')
    except EOFError:
        return dict(steps={}, said='the process died')
    finally:
        process.kill()
        process.join()
        end.close()


def attempt(each: dict, args: argparse.Namespace) -> dict:
    """What each command made of one data set."""
    clone = args.clones.absolute() / each['repo'].replace('/', '+')
    folder = clone / each['folder']
    name = f'{each["repo"]}{each["folder"]}'.replace('/', '+')
    work = (args.work_dir / name).absolute()
    shutil.rmtree(work, ignore_errors=True)
    out = work / 'data'
    result = dict(steps={}, said='')

    def step(name: str, command, argv: list[str], good=(0,)) -> bool:
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            try:
                exit_with_one_line(lambda: _status(command(argv)))
            except SystemExit as end:
                status = end.code
            except BaseException as error:
                status = f'{type(error).__name__}: {error}'
        (work / f'{name}.txt').write_text(output.getvalue())
        lines = output.getvalue().strip().splitlines() or ['']
        result['steps'][name] = status
        if name == 'prepare':
            result['output'] = output.getvalue()
        if status not in good:
            said = next((line for line in reversed(lines) if 'error: ' in line),
                        str(status))
            for place in (args.clones.absolute(), work.parent):
                said = said.replace(f'{place}/', '')
            result['said'] = said
        return status in good

    work.mkdir(parents=True)
    if not step('prepare', prepare, [str(folder), '-o', str(out)]):
        return result
    result['displaced'], result['boxes_used'] = displaced(folder, out)
    pictures = sorted((out / 'JPEGImages').rglob('*.*'))
    result['used'] = len(pictures)
    step('check', check_dataset, [str(out), '--jobs', '1'], good=(0, 1))
    classes = [line for line in (out / 'classes.txt').read_text().splitlines() if line]
    if any(name.startswith('-') for name in classes):  # as prepare then advises
        classes = [str(out / 'classes.txt')]
    common = ['--data-root', str(out), '--classes', *classes, '--work-dir', str(work)]
    few = ['--cfg-options', 'default_hooks.report=None']
    for loader in ('train', 'val', 'test'):
        few += [f'{loader}_dataloader.num_workers=0',
                f'{loader}_dataloader.persistent_workers=False']
    if step('train', train, [CONFIG, '--max-iters', str(args.steps), '--seed', '0',
                             *common, *few]):
        checkpoint = str(work / f'iter_{args.steps}.pth')
        step('test', test, [CONFIG, checkpoint, *common, *few])
        (work / 'some').mkdir()
        for picture in pictures[:4]:
            (work / 'some' / picture.name).symlink_to(picture.resolve())
        step('detect', detect, [str(work / 'some'), checkpoint, '-o',
                                str(work / 'found')])
    result['said'] = result['said'] or 'all of it'
    return result


def _status(result: object) -> int:
    return result if isinstance(result, int) else 0


def write(file: Path, results: list[dict]) -> None:
    """Write the table, and the numbers above it."""
    rows, through, wrong, total = [], 0, 0, 0
    for each in sorted(results, key=lambda each: each['name'].lower()):
        steps = each['steps']
        good = len(steps) == 5 and all(
            status == 0 or (name == 'check' and status == 1)
            for name, status in steps.items())
        through += good
        wrong += each.get('displaced', 0)
        total += each.get('boxes_used', 0)
        cells = [_cell(name, steps.get(name)) for name in (
            'prepare', 'check', 'train', 'test', 'detect')]
        numbers = [str(each.get(name, '')) for name in (
            'pictures', 'used', 'boxes', 'boxes_used', 'displaced')]
        rows.append((each['name'], each['revision'][:10], each['licence'], *numbers,
                     *cells))
    write_table(file, 'data sets', HEAD, rows)
    write_table(file, 'refusals', ('data set', 'what is said'), [
        (each['name'], each['said'].replace('|', '/')) for each in results
        if each['said'] != 'all of it'])
    write_table(file, 'sum', ('', ''), [
        ('data sets', str(len(results))), ('go through with no option', str(through)),
        ('boxes in the prepared folders', str(total)),
        ('boxes that are in no annotation', str(wrong)), ('date', str(date.today()))])


def _cell(name: str, status: object) -> str:
    if name == 'check' and status == 1:
        return 'look'
    return {None: '', 0: 'yes'}.get(status, 'no')


if __name__ == '__main__':
    main()
