"""A small OpenAI-compatible server for the tests, in a process of its own: ``python server.py --delay 0.05``.

It prints its port on the first line. What it answers depends on the prompt alone, so that a run with faults must give
the very scores of a run without. ``GET /stats`` says what was asked of it.
"""

from __future__ import annotations

import argparse
import asyncio
import email.utils
import hashlib
import json
import math
import random
import time
from collections import Counter
from typing import Any

FAULTS = ("retry-seconds", "retry-date", "500", "hang", "cut", "torn", "not-json", "no-choices", "no-object")

USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


class Server:
    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.random = random.Random(args.seed)
        self.asked: Counter[str] = Counter()
        self.seeds: set[int] = set()
        self.answered: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.open = self.most_open = 0
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode().split("\r\n")
                method, path, _ = lines[0].split(" ")
                headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines[1:])}
                body = await read_body(reader, headers)
                if not await self.answer(method, path, headers, body, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def answer(self, method: str, path: str, headers: dict[str, str], body: bytes, writer: Any) -> bool:
        if path == "/revive":
            self.args.die_after = 0
            return await send(writer, 200, {})
        if path == "/forget":
            self.batches.clear()
            return await send(writer, 200, {})
        if path == "/stats":
            stats = {"asked": sum(self.asked.values()), "answered": self.answered, "faults": self.faults,
                     "most_open": self.most_open, "batches": len(self.batches), "prompts": len(self.asked), "seeds": sorted(self.seeds)}  # fmt: skip
            return await send(writer, 200, stats)
        if self.args.echo_key or (self.args.key and headers.get("authorization") != f"Bearer {self.args.key}"):
            said = headers.get("authorization", "nothing")
            error = {"message": f"Incorrect API key provided: '{said}' ({said[7:]!r}, {said[7:31]}...)", "code": said}
            return await send(writer, self.args.echo_key or 401, {"error": error})
        if path.startswith(("/v1/files", "/v1/batches")):
            return await self.batch(method, path, body, writer)
        asked = json.loads(body)
        prompt = json.dumps(asked.get("messages") or asked["prompt"])
        self.asked[prompt] += 1
        self.seeds |= {asked["seed"]} if "seed" in asked else set()
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            if self.args.die_after and sum(self.answered.values()) >= self.args.die_after:
                return await send(writer, 503, {"error": {"message": "down for good"}})
            if self.random.random() < self.args.faults:
                return await self.fault(self.random.choice(self.args.kinds.split(",")), writer)
            await asyncio.sleep(self.args.delay)
            if self.args.no_chat and "messages" in asked:
                return await send(writer, 400, {"error": {"message": self.args.no_chat, "code": 400}})
            if self.args.no_system and any(turn["role"] == "system" for turn in asked.get("messages", ())):
                return await send(writer, 400, {"error": {"message": self.args.no_system, "code": 400}})
            if self.args.flag and letter_of(prompt) in self.args.flag:
                return await send(writer, 403, {"error": {"message": "Your input was flagged for 'self-harm'."}})
            if self.args.too_long and letter_of(prompt) in self.args.too_long:
                error = {"message": "This model's maximum context length is 4096 tokens.", "param": "messages"}
                return await send(writer, 400, {"error": error})
            if self.args.forbid and self.args.forbid in asked:
                error = {"message": f"You are not allowed to request {self.args.forbid} from this model."}
                return await send(writer, 403, {"error": error})
            if asked.get("top_logprobs", 0) > self.args.most_top:
                error = {"message": f"Invalid value for 'top_logprobs': must be at most {self.args.most_top}."}
                return await send(writer, 400, {"error": error})
            if (error := self.refusal(asked)) is not None:
                return await send(writer, 400, {"error": error})
            self.answered[prompt] += 1
            return await send(writer, 200, self.reply(path, asked, prompt))
        finally:
            self.open -= 1

    def refusal(self, asked: dict[str, Any]) -> dict[str, str] | None:
        """What a server says that does not know one of the parameters."""
        if not self.args.refuse or self.args.refuse not in asked:
            return None
        return {"message": f"Unsupported: '{self.args.refuse}'. Use 'max_completion_tokens'.",
                "param": self.args.refuse, "code": "unsupported_parameter"}  # fmt: skip

    async def fault(self, kind: str, writer: Any) -> bool:
        self.faults[kind] += 1
        if kind == "retry-seconds":
            return await send(writer, 429, {"error": {"message": "slow down"}}, {"Retry-After": "1"})
        if kind == "retry-date":
            when = email.utils.formatdate(time.time() + 1, usegmt=True)
            return await send(writer, 429, {"error": {"message": "slow down"}}, {"Retry-After": when})
        if kind == "500":
            return await send(writer, 500, {"error": {"message": "we are sorry"}})
        if kind == "hang":
            await asyncio.sleep(3600)
        if kind == "cut":
            return False
        if kind == "torn":
            writer.write(
                b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{"choices": ['
            )
            await writer.drain()
            return False
        if kind == "provider":
            error = {"code": 502, "message": "the provider fell over"}
            choice = {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "error"}
            return await send(writer, 200, {"choices": [{**choice, "error": error}]})
        if kind == "paid":
            return await send(writer, 200, {"choices": [], "usage": USAGE})
        if kind == "nested":
            return await send(writer, 200, b'{"choices": ' + b"[" * 400 + b"]" * 400 + b"}")
        if kind == "deep":
            return await send(writer, 200, b'{"choices": ' + b"[" * 9000 + b"]" * 9000 + b"}")
        if kind == "absurd":
            tops = [{"token": letter, "logprob": 800} for letter in "ABCD"]
            logprobs = {"content": [{**tops[0], "top_logprobs": tops}]}
            choice = {"index": 0, "message": {"role": "assistant", "content": "A"}, "logprobs": logprobs}
            return await send(writer, 200, {"choices": [choice]})
        if kind == "endless":
            choice = {"index": 0, "message": {"role": "assistant", "content": "A"}, "finish_reason": "stop"}
            return await send(writer, 200, {"choices": [choice], "usage": {"prompt_tokens": 10**400}})
        if kind == "page":
            return await send(writer, 200, b"<!doctype html><html><body>Open WebUI</body></html>")
        if kind == "gateway":
            return await send(writer, 502, b"<html><title>Bad</title><body><h1>Gateway asleep</h1></body></html>")
        if kind == "list":
            return await send(writer, 400, [{"error": {"code": 400, "message": "no such voice"}}])
        if kind == "not-json":
            return await send(writer, 200, b'{"choices": [{"message": {"content": "Alternativa A')
        return await send(writer, 200, {"choices": []} if kind == "no-choices" else [1, 2])

    def reply(self, path: str, asked: dict[str, Any], prompt: str) -> dict[str, Any]:
        letter = letter_of(prompt)
        text = self.args.say.replace("@", letter).replace("½", "\ud83d")  # half an emoji
        logprobs = None
        if asked.get("logprobs") and self.args.logprobs:
            ranked = [
                (letter, 0.6),
                (" " + letter, 0.1),
                *((other, 0.05) for other in "ABCD" if other != letter),
                ("O", 0.01),
            ]
            if self.args.logprobs == "none-of-them":
                ranked = [("Claro", 0.9), ("a", 0.1)]
            if self.args.thinks and asked.get("chat_template_kwargs", {}).get("enable_thinking") is not False:
                ranked = [("<think>", 0.999)]
            tops = [{"token": t, "logprob": math.log(p)} for t, p in ranked]
            logprobs = {"content": [{**tops[0], "top_logprobs": tops}]}
            text = ranked[0][0]
        if path == "/v1/chat/completions":
            choice: dict[str, Any] = {
                "index": 0,
                "message": {"role": "assistant", "content": text}
                if not self.args.only_thinks
                else {"role": "assistant", "content": None, "reasoning_content": text},
                "logprobs": logprobs,
            }
        elif asked.get("echo"):
            first, *rest = asked["prompt"].split(" ")
            words = [first, *(f" {word}" for word in rest)]
            if self.args.bos:
                words = [self.args.bos, *words]
            starts = [sum(map(len, words[:i])) for i in range(len(words))]  # as vLLM: of the words, not of the text
            nats = [None, *(-len(w) / 4 for w in words[1:])]
            choice = {
                "index": 0,
                "text": asked["prompt"],
                "logprobs": {"tokens": words, "token_logprobs": nats, "text_offset": starts},
            }
        else:
            if logprobs:
                logprobs = {
                    "top_logprobs": [{t["token"]: t["logprob"] for t in logprobs["content"][0]["top_logprobs"]}]
                }
            choice = {"index": 0, "text": text, "logprobs": logprobs}
        changed = self.args.becomes and sum(self.answered.values()) > self.args.becomes_after
        name = self.args.becomes if changed else "served-1"
        told = {} if self.args.untold else {"usage": USAGE}
        return {"id": "x", "object": "chat.completion", "model": name, "system_fingerprint": "fp_1",
                **told, "choices": [{**choice, "finish_reason": "stop"}]}  # fmt: skip

    async def batch(self, method: str, path: str, body: bytes, writer: Any) -> bool:
        if path == "/v1/files":
            boundary = body.split(b"\r\n", 1)[0]
            part = next(p for p in body.split(boundary) if b'name="file"' in p)
            name = f"file-{len(self.files)}"
            self.files[name] = part.split(b"\r\n\r\n", 1)[1].rstrip(b"\r\n")
            return await send(writer, 200, {"id": name, "object": "file", "purpose": "batch"})
        if path.endswith("/content"):
            content = self.files[path.split("/")[3]]
            self.args.batch_torn -= 1
            return await send(writer, 200, content[:-40] if self.args.batch_torn >= 0 else content)
        if path.startswith("/v1/batches?"):
            return await send(writer, 200, {"object": "list", "data": list(self.batches.values())[::-1]})
        if method == "POST":
            asked = json.loads(body)
            found = {
                "id": f"batch-{len(self.batches)}",
                "object": "batch",
                "status": "in_progress",
                "made": time.time(),
                **asked,
            }
            self.batches[found["id"]] = found
            if self.args.batch_lost:  # made, and the reply is lost on its way
                self.args.batch_lost -= 1
                return False
            return await send(writer, 200, found)
        if self.args.batch_deaf:
            self.args.batch_deaf -= 1
            return False
        found = self.batches.get(path.split("/")[3])
        if found is None:
            return await send(writer, 404, {"error": {"message": "No batch found."}})
        if found["status"] == "in_progress" and time.time() - found["made"] > self.args.batch_seconds:
            self.finish(found)
        return await send(writer, 200, found)

    def finish(self, found: dict[str, Any]) -> None:
        if self.args.batch_fails:
            error = {"code": "token_limit_exceeded", "message": self.args.batch_fails}
            found |= {"status": "failed", "errors": {"object": "list", "data": [error]}}
            return
        good, bad = [], []
        for line in self.files[found["input_file_id"]].decode().split("\n"):
            one = json.loads(line)
            prompt = json.dumps(one["body"].get("messages") or one["body"]["prompt"])
            self.asked[prompt] += 1
            self.seeds |= {one["body"]["seed"]} if "seed" in one["body"] else set()
            failed = self.random.random() < self.args.faults
            status, body = 200, {}
            if failed:
                status, body = 500, {"error": {"message": "expired"}}
            elif (error := self.refusal(one["body"])) is not None:
                status, body = 400, {"error": error}
            else:
                body = self.reply(one["url"], one["body"], prompt)
            row = {"custom_id": one["custom_id"], "response": {"status_code": status, "body": body}, "error": None}
            (good if status == 200 else bad).append(row)
        for key, rows in (("output_file_id", good), ("error_file_id", bad)):
            if rows:
                found[key] = f"file-{len(self.files)}"
                self.files[found[key]] = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
        found["status"] = "completed"


def letter_of(prompt: str) -> str:
    return "ABCD"[hashlib.sha256(prompt.encode()).digest()[0] % 4]


async def read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", 0)))
    found = b""
    while size := int(await reader.readline(), 16):
        found += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return found


async def send(writer: Any, status: int, content: Any, headers: dict[str, str] | None = None) -> bool:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    extra = "".join(f"{k}: {v}\r\n" for k, v in (headers or {}).items())
    writer.write(
        f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{extra}Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    await writer.drain()
    return True


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--faults", type=float, default=0.0)
    parser.add_argument("--kinds", default=",".join(FAULTS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--key", default="", help="refuse every other key, and say it back")
    parser.add_argument("--echo-key", type=int, default=0, help="answer everything with this status and the key")
    parser.add_argument("--say", default="Alternativa @")
    parser.add_argument("--logprobs", default="", help="'yes' or 'none-of-them'")
    parser.add_argument("--refuse", default="", help="a parameter this server does not know")
    parser.add_argument("--forbid", default="", help="a parameter refused with 403")
    parser.add_argument("--flag", default="", help="letters whose questions are refused with 403")
    parser.add_argument("--too-long", default="", help="letters whose questions are longer than it takes")
    parser.add_argument("--thinks", default="", help="begins with its thinking, unless its template is told otherwise")
    parser.add_argument("--most-top", type=int, default=20, help="most of the likely tokens that are listed")
    parser.add_argument("--bos", default="", help="a beginning-of-text token among the echoed ones")
    parser.add_argument("--untold", default="", help="no usage is told")
    parser.add_argument("--no-chat", default="", help="how a server refuses a conversation with a base model")
    parser.add_argument("--no-system", default="", help="how a chat template that knows no system turn refuses it")
    parser.add_argument("--only-thinks", default="", help="all words are hidden thinking; the answer has none")
    parser.add_argument("--die-after", type=int, default=0, help="503 for good after so many answers")
    parser.add_argument(
        "--becomes", default="", help="another model behind the same name, after --becomes-after answers"
    )
    parser.add_argument("--becomes-after", type=int, default=0)
    parser.add_argument("--batch-seconds", type=float, default=0.0)
    parser.add_argument("--batch-lost", type=int, default=0, help="so many batches are made and nobody hears of it")
    parser.add_argument("--batch-deaf", type=int, default=0, help="so many looks at a batch are not answered")
    parser.add_argument("--batch-torn", type=int, default=0, help="so many files of answers arrive without their end")
    parser.add_argument("--batch-fails", default="", help="why every batch fails as a whole")
    server = Server(parser.parse_args())
    listening = await asyncio.start_server(server.serve, "127.0.0.1", server.args.port, limit=2**24)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
