"""The reader of annotations reads or refuses, whatever it is given."""

import fuzz_annotations


def test_a_short_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('sys.argv', ['fuzz_annotations.py', '--number', '2000'])
    assert fuzz_annotations.main() == 0
    said = capsys.readouterr().out
    assert said.startswith('2000 inputs: ') and ' read in part' in said
    assert not list(tmp_path.iterdir())
