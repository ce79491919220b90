"""A small hub on this machine: ``python hub_server.py FOLDER`` serves FOLDER as the model ``someone/model``."""

from __future__ import annotations

import hashlib
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """What huggingface-hub asks for: the list of files, and each of them."""

    folder: Path

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/api/models/someone/model"):
            files = sorted(file for file in self.folder.rglob("*") if file.is_file())
            names = [str(file.relative_to(self.folder)) for file in files]
            said: object = {
                "_id": "1",
                "id": "someone/model",
                "sha": COMMIT,
                "siblings": [{"rfilename": n} for n in names],
            }
            if "/tree/" in path:
                said = [
                    {
                        "type": "file",
                        "path": name,
                        "size": file.stat().st_size,
                        "oid": hashlib.sha1(name.encode()).hexdigest(),
                    }
                    for name, file in zip(names, files, strict=True)
                ]
            return self._send(json.dumps(said).encode(), "application/json", body)
        file = self.folder / path.removeprefix(f"/someone/model/resolve/{COMMIT}/")
        if not file.is_file():
            self.send_error(404)
            return None
        if body:  # in one piece: files are fetched side by side, and two lines would run into each other
            sys.stdout.write(f"{file.relative_to(self.folder)}\n")
            sys.stdout.flush()
        return self._send(file.read_bytes(), "application/octet-stream", body)

    def _send(self, content: bytes, kind: str, body: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing: what was fetched is printed."""


if __name__ == "__main__":
    Hub.folder = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    print(server.server_port, flush=True)
    server.serve_forever()
