"""A proxy in front of a real server: adds TLS or a TCP port, hangs, or cuts connections."""

import contextlib
import socket
import ssl
import threading
from urllib.parse import parse_qs, urlsplit

Target = tuple[str, int] | str


class Proxy:
    """Listens on a free port of 127.0.0.1 and forwards to `target`, a (host, port) or a Unix socket's path.

    With `tls` it terminates TLS. Without `target` it accepts connections and never responds.
    """

    def __init__(self, target: Target | None, tls: ssl.SSLContext | None = None) -> None:
        self._target = target
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._frozen = 0
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Close all connections."""
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._open.clear()

    def freeze(self) -> None:
        """Keep existing connections open but forward nothing, like a server that lost power."""
        self._frozen = self.connections

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client, self.connections), daemon=True).start()

    def _serve(self, client: socket.socket, number: int) -> None:
        self._open.append(client)
        if self._target is None:
            return
        try:
            if self._tls is not None:
                client = self._tls.wrap_socket(client, server_side=True)
                self._open.append(client)
            server = _connect(self._target)
        except OSError:
            client.close()
            return
        self._open.append(server)
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=self._pump, args=(source, sink, number), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError, ValueError):
            while data := source.recv(65536):
                if number <= self._frozen:
                    return
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def target_of(url: str) -> Target:
    """Return the target of a Valkey or PostgreSQL URL. A PostgreSQL URL may contain a socket's folder."""
    parts = urlsplit(url)
    folder = parse_qs(parts.query).get("host")
    if folder:
        return f"{folder[0]}/.s.PGSQL.5432"
    return parts.hostname or "127.0.0.1", parts.port or 0


def _connect(target: Target) -> socket.socket:
    if isinstance(target, tuple):
        return socket.create_connection(target, timeout=None)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(target)
    return connection
