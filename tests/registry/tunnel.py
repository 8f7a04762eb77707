# SPDX-License-Identifier: Apache-2.0
"""An HTTP proxy through which every https address leads to one registry: what
cannot be reached from here (Docker Hub) is then on this machine."""

import socket
import threading
from socketserver import StreamRequestHandler, ThreadingTCPServer


class Tunnel:
    """`url` is for https_proxy; registry answers for all hosts, with TLS."""

    def __init__(self, registry):
        self._server = ThreadingTCPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.upstream = ("127.0.0.1", registry.port)
        self._server.hosts = []
        self._thread = threading.Thread(target=self._server.serve_forever,
                                        daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def hosts(self):
        """Who was to be reached, as HOST:PORT."""
        return list(self._server.hosts)


class _Handler(StreamRequestHandler):
    """CONNECT HOST:PORT, and then whatever the two say to each other."""

    def handle(self):
        _, host, _ = self.rfile.readline().split()
        while self.rfile.readline().strip():
            pass
        self.server.hosts.append(host.decode())
        with socket.create_connection(self.server.upstream) as upstream:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_relay, daemon=True,
                                    args=(upstream, self.connection))
            back.start()
            _relay(self.connection, upstream)
            back.join()


def _relay(source, destination):
    try:
        while data := source.recv(1 << 16):
            destination.sendall(data)
        destination.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # either has gone: so has what there was to say
