"""Files are whole or absent, and what another process is writing stays."""

import os
import socket
import subprocess
import sys
import time

import pytest
from mmengine.fileio import get_file_backend

from frcnn_plugin.engine import whole_files_backend
from frcnn_plugin.io import whole_files
from frcnn_plugin.io.whole_files import (
    DAY,
    remove_parts,
    whole_or_absent,
    write_whole,
)

WRITER = """
import sys
from frcnn_plugin.io.whole_files import whole_or_absent
with whole_or_absent(sys.argv[1]) as file:
    file.write(b'half')
    file.flush()
    print('writing', flush=True)
    sys.stdin.readline()
"""


def names(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def writer(tmp_path):
    """A process that is in the middle of writing a file."""
    process = subprocess.Popen(
        [sys.executable, '-c', WRITER, str(tmp_path / 'a.pth')],
        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == 'writing\n'
    yield process
    process.kill()
    process.communicate()


def test_a_file_is_never_seen_half_written(tmp_path, monkeypatch):
    file = tmp_path / 'a.pth'
    write_whole(file, b'old')
    seen = []

    def stop(descriptor):  # as a kill or a full disk would, before the name is taken
        seen.extend(names(tmp_path))
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(whole_files.os, 'fsync', stop)
    with pytest.raises(OSError, match='No space'):
        write_whole(file, b'new' * 1000)
    assert len(seen) == 2 and names(tmp_path) == {'a.pth'}
    assert file.read_bytes() == b'old'


def test_an_error_of_the_writer_leaves_the_old_file(tmp_path):
    write_whole(tmp_path / 'a.pth', b'old')
    with pytest.raises(KeyError), whole_or_absent(tmp_path / 'a.pth') as file:
        file.write(b'new')
        raise KeyError
    assert names(tmp_path) == {'a.pth'}
    assert (tmp_path / 'a.pth').read_bytes() == b'old'


def test_a_living_process_finishes_what_others_clean_up_around(tmp_path, writer):
    parts = names(tmp_path)
    assert len(parts) == 1
    remove_parts(tmp_path)
    assert names(tmp_path) == parts
    writer.communicate('go on\n')
    assert writer.returncode == 0 and names(tmp_path) == {'a.pth'}


def test_what_a_killed_process_left_is_removed(tmp_path, writer):
    writer.kill()
    writer.communicate()
    write_whole(tmp_path / 'b.pth', b'')
    assert len(names(tmp_path)) == 2
    remove_parts(tmp_path)
    assert names(tmp_path) == {'b.pth'}


def test_two_processes_write_the_same_file(tmp_path, writer):
    write_whole(tmp_path / 'a.pth', b'mine')
    assert (tmp_path / 'a.pth').read_bytes() == b'mine'
    writer.communicate('go on\n')
    assert writer.returncode == 0 and names(tmp_path) == {'a.pth'}
    assert (tmp_path / 'a.pth').read_bytes() == b'half'


def test_parts_of_other_hosts_stay_for_a_day(tmp_path):
    dead = subprocess.Popen([sys.executable, '-c', ''])
    dead.wait()
    for host, age in (('elsewhere', DAY - 60), ('elsewhere', DAY + 60),
                      (socket.gethostname(), 0)):
        part = tmp_path / f'.{host}.{dead.pid}.{age:x}.part'
        part.write_bytes(b'')
        os.utime(part, (time.time() - age,) * 2)
    folder = tmp_path / '.abc.part'  # of prepare, with something in it
    folder.mkdir()
    (folder / 'a.txt').touch()
    os.utime(folder, (time.time() - DAY - 60,) * 2)
    remove_parts(tmp_path)
    assert names(tmp_path) == {f'.elsewhere.{dead.pid}.{DAY - 60:x}.part'}


def test_mmengine_writes_through_it(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(whole_files_backend, 'write_whole',
                        lambda path, data: written.append((path, data)))
    files = get_file_backend(backend_args=dict(backend=whole_files_backend.BACKEND))
    files.put(b'1', 'a')
    files.put_text('ü', 'b')
    assert written == [('a', b'1'), ('b', 'ü'.encode())]
