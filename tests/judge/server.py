"""A scripted judge behind an OpenAI-compatible API, in a thread of the test: it says what it is told, and counts."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Script = Callable[[str, int, str], str]
"""Question's number, how often it was asked (from 1), the whole conversation -> the judge's reply."""


class JudgeServer:
    def __init__(self, script: Script, delay: float = 0.0) -> None:
        self.script, self.delay = script, delay
        self.asked: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.refuse_schema, self.refused = False, 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:  # the name http.server wants
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if "response_format" in body and outer.refuse_schema:
                    outer.refused += 1
                    return self.send(400, {"error": {"message": "'response_format' is not supported", "param": None}})
                text = outer.reply(body)
                content = {
                    "id": "1", "object": "chat.completion", "created": 0, "model": "juiz-2026-01", "choices": [
                        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
                    ],
                    "usage": {"prompt_tokens": 200, "completion_tokens": 40, "total_tokens": 240},
                }  # fmt: skip
                return self.send(200, content)

            def send(self, status: int, content: dict[str, Any]) -> None:
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def spec(self, name: str = "juiz", **options: object) -> str:
        return ",".join([f"openai:{name}", f"base_url={self.url}", *(f"{k}={v}" for k, v in options.items())])

    def reply(self, body: dict[str, Any]) -> str:
        conversation = "\n".join(m["content"] for m in body["messages"])
        found = re.search(r"Pergunta número (\d+)", conversation)
        number = found[1] if found else "?"
        with self._lock:
            self.asked[number] += 1
            turn = self.asked[number]
            self.bodies.append(body)
        time.sleep(self.delay)
        return self.script(number, turn, conversation)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
