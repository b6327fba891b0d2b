"""A mail server that prints what it takes: mail_sink.py [PORT]. Standard library alone: it runs in a bare container."""

import socketserver
import sys

# Some clients log in, as with a mail service (RFC 4954).
ANSWERS = {b"EHLO": "250-mail.internal\r\n250 AUTH PLAIN", b"AUTH": "235 welcome", b"QUIT": "221 bye"}


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
            self._say(ANSWERS.get(command, "250 ok"))
            if command == b"QUIT":
                return

    def _read_message(self) -> None:
        for line in self.rfile:
            if line == b".\r\n":
                return
            print(line.decode(errors="replace").rstrip())

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


if __name__ == "__main__":
    with socketserver.ThreadingTCPServer(("", int(sys.argv[1]) if sys.argv[1:] else 587), Session) as server:
        server.serve_forever()
