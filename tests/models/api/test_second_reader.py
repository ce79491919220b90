"""An API as second reader of ``benchctl extract``: what it was asked is paid once."""

from __future__ import annotations

import json

ROW = {"question": "Que nervo inerva o diafragma?", "options": {"A": "Nervo vago", "B": "Nervo frênico"}}


def examples(path, first=0):
    rows = [
        {**ROW, "id": n, "output": f"Aquele que sai de C3 a C5, na página {n} do livro.", "label": "B"}
        for n in range(first, 6)
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def test_replies_are_kept_and_not_paid_again_by_the_same_command_or_another_file(serve, benchctl, tmp_path):
    server = serve(say='{"codigo": "2"}')
    model = f"openai:gpt,base_url={server.url},choose_by=generation"
    words = ("extract", examples(tmp_path / "e.jsonl"), "--extract-with", model)
    ran = benchctl(*words)
    assert ran.code == 0 and "accuracy 100.0 % (6 of 6" in ran.out and "6 read by it" in ran.err
    assert benchctl(*words).out == ran.out
    other = benchctl("extract", examples(tmp_path / "f.jsonl", first=1), "--extract-with", model)
    assert "accuracy 100.0 % (5 of 5" in other.out and server.stats()["asked"] == 6


def test_what_got_no_reply_is_told_and_asked_by_the_same_command(serve, benchctl, tmp_path):
    server = serve(say='{"codigo": "2"}', faults=0.5, kinds="500")
    model = f"openai:gpt,base_url={server.url},choose_by=generation,connections=1,timeout=1,retries="
    words = ("extract", examples(tmp_path / "e.jsonl"), "--extract-with")
    cut = benchctl(*words, f"{model}0")
    failed = sum(server.stats()["faults"].values())
    assert cut.code == 3 and 0 < failed < 6 and f"{6 - failed} read by it ({failed} failed" in cut.err
    ended = benchctl(*words, f"{model}9")
    assert ended.code == 0 and "accuracy 100.0 % (6 of 6" in ended.out
    assert sum(server.stats()["answered"].values()) == 6
