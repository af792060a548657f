"""The one line that a command ends with, and what to type to mend it."""

import pytest

from frcnn_plugin import errors
from frcnn_plugin.commands.advice import ADVICE
from frcnn_plugin.commands.frcnn import exit_with_one_line, main

TINY = ['model.rpn_head.feat_channels=32', 'model.roi_head.bbox_head.fc_channels=[8]']


def end_of(command, capsys) -> tuple[int, str]:
    with pytest.raises(SystemExit) as end:
        command()
    return end.value.code, capsys.readouterr().err.strip()


@pytest.mark.parametrize('kind', [errors.UserError, *ADVICE])
def test_the_message_and_then_the_advice(kind, capsys):
    def fails():
        raise kind('a.pth: is wrong')

    said = f'error: a.pth: is wrong. {ADVICE[kind]}' if kind in ADVICE else (
        'error: a.pth: is wrong')
    assert end_of(lambda: exit_with_one_line(fails), capsys) == (1, said)


def test_an_error_of_a_class_without_advice_takes_that_of_its_base(capsys):
    def fails():
        raise errors.WeightsUnreachableError('far')

    assert '--from-scratch' in end_of(lambda: exit_with_one_line(fails), capsys)[1]


def test_an_error_out_of_a_worker(capsys):
    """torch makes one whose message holds the traceback."""
    def fails():
        raise errors.ClassCountError(
            'Caught ClassCountError in DataLoader worker process 0.\nOriginal '
            'Traceback ...\nfrcnn_plugin.errors.ClassCountError: a.jpg: is wrong\n')

    said = f'error: a.jpg: is wrong. {ADVICE[errors.ClassCountError]}'
    assert end_of(lambda: exit_with_one_line(fails), capsys) == (1, said)


@pytest.mark.parametrize(('result', 'status'), [(None, 0), (0, 0), (1, 1)])
def test_a_status(result, status, capsys):
    assert end_of(lambda: exit_with_one_line(lambda: result), capsys) == (status, '')


def test_ctrl_c(capsys):
    def stopped():
        raise KeyboardInterrupt

    assert end_of(lambda: exit_with_one_line(stopped), capsys) == (130, 'interrupted')


def test_whole_lines(small, checkpoint, tmp_path, capsys):
    """What the user reads holds the flag, though the error below does not know it."""
    config, *rest = small('--classes', 'star', 'circle')
    bare = tmp_path / 'bare.py'
    bare.write_text("_base_ = '" + config + "'\nmodel = dict(backbone=dict("
                    "init_cfg=dict(type='Pretrained', checkpoint='/nowhere.pth')))")
    for words, says in (
            (['test', config, checkpoint, *rest, *TINY[:1],
              'model.roi_head.bbox_head.fc_channels=[32,32]'],
             "(wrong number of classes). Give the checkpoint's own classes with "
             '--classes'),
            (['train', str(bare), *rest], '/nowhere.pth: no such file; a checkpoint '
             'was expected. Give a file with --pretrained FILE, or train from scratch '
             'with --from-scratch'),
            (['train', config, *rest, 'model.backbone.depth.x=1'],
             'Change settings with --cfg-options NAME=VALUE')):
        status, said = end_of(lambda words=words: main(words), capsys)
        assert status == 1 and said.startswith('error: '), said
        assert said.endswith(says), said
        assert 'Traceback' not in said
