"""A mail server that prints what it takes; the standard library alone, for it runs in a bare container."""

import socketserver


class Session(socketserver.StreamRequestHandler):
    """One SMTP session (RFC 5321), as far as a well-behaved client goes."""

    def handle(self) -> None:
        """Answer command by command until the client leaves."""
        self._say("220 ready")
        for line in self.rfile:
            command = line[:4].upper()
            if command == b"DATA":
                self._say("354 go on")
                self._read_message()
                self._say("250 taken")
            elif command == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _read_message(self) -> None:
        for line in self.rfile:
            if line == b".\r\n":
                return
            print(line.decode(errors="replace").rstrip())

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")


if __name__ == "__main__":
    with socketserver.ThreadingTCPServer(("", 587), Session) as server:
        server.serve_forever()
