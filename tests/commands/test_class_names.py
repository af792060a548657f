"""Names of classes on the command line, or in a file."""

import pytest
from labelled import BOX, picture, xml

from frcnn_plugin.commands.parser import build_parser
from frcnn_plugin.commands.prepare import prepare

COMMANDS = {'train': ['c.py'], 'test': ['c.py', 'a.pth'], 'check-dataset': ['data'],
            'detect': ['a.jpg', 'a.pth']}


@pytest.mark.parametrize('command', ['train', 'test', 'check-dataset', 'detect'])
def test_a_file_of_names(command, tmp_path, capsys):
    file = tmp_path / 'classes.txt'
    file.write_text('--\n-x\nein Haus\n')

    def classes(*words: str) -> list[str]:
        return build_parser().parse_args(
            [command, *COMMANDS[command], '--classes', *words]).classes

    assert classes(str(file)) == ['--', '-x', 'ein Haus']
    file.write_text('cat \n\nhündin\n', 'utf-8-sig')
    assert classes(str(file)) == ['cat', 'hündin']
    file.write_bytes('hündin'.encode('cp1252'))
    with pytest.raises(SystemExit):
        classes(str(file))
    assert f'{file} is not encoded in UTF-8' in capsys.readouterr().err
    assert classes('cat', 'dog') == ['cat', 'dog']
    assert classes(str(tmp_path / 'missing.txt')) == [str(tmp_path / 'missing.txt')]


def test_prepare_advises_it(tmp_path, capsys):
    for number in range(3):
        picture(tmp_path / f'in/{number}.jpg', number)
        xml(tmp_path / f'in/{number}.xml', boxes=[('--', *BOX)])
    prepare([str(tmp_path / 'in'), '-o', str(tmp_path / 'out')])
    assert f'--classes {tmp_path}/out/classes.txt' in capsys.readouterr().out
