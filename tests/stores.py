"""Stores that speak S3: one that works, with its moods, and one that refuses."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from werkzeug.serving import make_server

SLOW_DOWN = (b'<?xml version="1.0"?><Error><Code>SlowDown</Code>'
             b'<Message>Please reduce your request rate.</Message></Error>')


def environment(port: int) -> dict[str, str]:
    """What tells a client where the store is, and who asks."""
    return dict(AWS_ENDPOINT_URL=f'http://127.0.0.1:{port}', AWS_ACCESS_KEY_ID='a',
                AWS_SECRET_ACCESS_KEY='b', AWS_REGION='us-east-1')


@contextmanager
def store(refuses: Callable[[dict], bool] = lambda request: False) -> Iterator[int]:
    """A store with nothing in it; its port.

    Args:
        refuses: Told the WSGI environment of a request, whether that is answered with
            503.
    """
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        create_backend_app,
    )
    moto = DomainDispatcherApplication(create_backend_app)

    def answer(request, start):
        if refuses(request):
            start('503 Service Unavailable', [('Content-Type', 'application/xml')])
            return [SLOW_DOWN]
        return moto(request, start)

    logging.getLogger('werkzeug').setLevel(logging.ERROR)
    server = make_server('127.0.0.1', 0, answer, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()


def refusing_store(status: int) -> int:
    """The port of a store that answers each request so, until the process ends."""
    class Refuse(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.send_response(status)
            self.send_header('Content-Length', '0')
            self.end_headers()

        do_GET = do_HEAD = do_PUT = answer

        def log_message(self, *args) -> None:
            pass

    server = ThreadingHTTPServer(('127.0.0.1', 0), Refuse)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port
