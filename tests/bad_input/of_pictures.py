"""Pictures to detect in that are not as they should be, and results in the way."""

import struct
import zlib

from bad_input.kinds import Site, kind
from stores import environment, refusing_store

from frcnn_plugin.commands.detect import detect


def words(site: Site, *more: str) -> list[str]:
    """Of a detection in all pictures."""
    return [str(site.root / 'JPEGImages'), str(site.trained()), '-o',
            str(site.folder / 'found'), '--device', 'cpu', *more]


def png_of(width: int, height: int) -> bytes:
    """A file of a few bytes that says it is so large a picture."""
    def chunk(name: bytes, data: bytes) -> bytes:
        return (struct.pack('>I', len(data)) + name + data
                + struct.pack('>I', zlib.crc32(name + data)))
    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header)
            + chunk(b'IDAT', zlib.compress(b'')) + chunk(b'IEND', b''))


@kind('a picture to detect in that is a text', 'detect',
      r'warning: b\.jpg: not a readable image; skipped')
def picture_of_text(site: Site):
    site.image().write_text('no picture')
    return words(site)


@kind('a picture to detect in that is empty', 'detect',
      r'warning: b\.jpg: not a readable image; skipped')
def empty_picture(site: Site):
    site.image().write_bytes(b'')
    return words(site)


@kind('a small file that unpacks to 60000x60000 pixels', 'detect',
      r'warning: b\.jpg: not a readable image .*decompression bomb.*; skipped')
def bomb(site: Site):
    site.image().write_bytes(png_of(60_000, 60_000))
    return words(site)


@kind('a list with a picture that is not there', 'detect',
      r'warning: .*none\.jpg: no such image; skipped')
def vanished(site: Site):
    listed = site.folder / 'list.txt'
    listed.write_text(f'{site.image()}\n{site.folder}/none.jpg\n')
    return [f'@{listed}', *words(site)[1:]]


@kind('a list that is not there', 'detect', 'a list of files was expected')
def no_list(site: Site):
    return [f'@{site.folder}/list.txt', *words(site)[1:]]


@kind('pictures of which none can be read', 'detect', 'none of its pictures can be')
def all_broken(site: Site):
    for image in (site.root / 'JPEGImages').iterdir():
        image.write_text('no picture')
    return words(site)


@kind('a folder without pictures', 'detect', 'no image or video in it')
def no_pictures(site: Site):
    return [str(site.root / 'Annotations'), *words(site)[1:]]


@kind('results of an unfinished run', 'detect', 'unfinished run')
def unfinished(site: Site):
    detect(words(site))
    notes = site.folder / 'found/detections.run.json'
    notes.write_text(notes.read_text().replace('true', 'false'))
    return words(site)


@kind('results of other scores, to resume', 'detect', 'made with a different score')
def other_scores(site: Site):
    detect(words(site, '--score-thr', '0.1'))
    return words(site, '--score-thr', '0.2', '--resume')


@kind('results of other pictures, to resume', 'detect', 'is not about b.jpg')
def other_pictures(site: Site):
    image = site.image().read_bytes()
    site.image().unlink()
    detect(words(site))
    site.image().write_bytes(image)
    return words(site, '--resume')


@kind('a folder of results that is one of the pictures', 'detect', 'written over')
def over_pictures(site: Site):
    return [*words(site)[:2], '-o', str(site.root / 'JPEGImages')]


@kind('tiles of 8 pixels', 'detect', 'tiles of 8 pixels')
def small_tiles(site: Site):
    return words(site, '--tiles', '8')


@kind('a launcher that did not start it', 'detect', 'RANK is not set')
def no_launcher(site: Site):
    return words(site, '--launcher', 'pytorch')


def from_a_store(site: Site, status: int) -> list[str]:
    """From one that answers so, and to it."""
    site.environment = environment(refusing_store(status))
    return ['s3://bucket/pictures', str(site.trained()), '-o', 's3://bucket/found',
            '--engine', 'ray', '--device', 'cpu']


@kind('a store that does not know these credentials', 'detect',
      r's3://bucket/pictures.*: the store refuses .*ACCESS_DENIED')
def wrong_credentials(site: Site):
    return from_a_store(site, 403)


@kind('a store that answers 503 for ever', 'detect',
      r's3://bucket/pictures.*: the store is too busy .*HTTP status 503')
def busy_store(site: Site):
    return from_a_store(site, 503)
