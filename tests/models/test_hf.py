"""The transformers backend: numbers from independent sources, honest about what it loaded and what it cut."""

from __future__ import annotations

import csv
import json
import math
import os
import re
import shutil
from pathlib import Path

import pytest

from benchctl.errors import ModelCallError
from benchctl.fingerprints import digest
from benchctl.plugins import get_plugins
from benchctl.types import Choose, Generate, Message, Perplexity

FOX = "One day, a clever fox found a shiny key under the old oak tree."


def load(spec):
    from benchctl.creation import create_model

    return create_model(get_plugins(), spec)


def test_perplexity_of_a_text_equals_the_original_c_programs(stories):
    # bennyz/esp32-llm's golden file, from llama2.c: nll 54.404121, perplexity 4.953633, 35 tokens with <s>.
    ((_, response),) = load(stories).perplexity([Perplexity(FOX)])
    assert response.tokens == 34
    assert -response.nats == pytest.approx(54.404121, abs=2e-3)
    assert math.exp(-response.nats / response.tokens) == pytest.approx(4.9536, abs=1e-4)


def test_choices_equal_a_direct_computation(stories):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = stories.removeprefix("hf:")
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder).eval()
    prompt, choices = "Once upon a time there was a", (" dog", " little girl", " xylophone")
    ((_, response),) = load(stories).choose([Choose(prompt, choices)])
    for choice, got in zip(choices, response.choices, strict=True):
        context, whole = tokenizer(prompt)["input_ids"], tokenizer(prompt + choice)["input_ids"]
        with torch.inference_mode():
            logs = torch.log_softmax(model(torch.tensor([whole])).logits[0], -1)
        expected = sum(float(logs[i - 1, whole[i]]) for i in range(len(context), len(whole)))
        assert got.nats == pytest.approx(expected, abs=1e-4)
        assert got.tokens == len(whole) - len(context)
        assert got.bytes == len(choice.strip().encode())


def test_greedy_generation_is_the_known_continuation(stories):
    ((_, response),) = load(stories).generate([Generate("Once upon a time", max_tokens=40)])
    assert response.text.startswith(", there was a little girl named Lily. She loved to play outside in the park.")
    assert response.finish_reason == "length"


def test_answers_cut_off_at_their_length_limit_are_counted_and_told(stories, benchctl):
    ask = ("run", "--task", "medmcqa-pt", "--data", "builtin", "--limit", "4", "--scoring", "generate", "--json")
    ran = benchctl(*ask, "--model", stories, "--max-tokens", "3")
    assert json.loads(ran.out)[0]["counts"]["unfinished"] == 4
    assert "4 of 4 answers were cut off at their length limit; --max-tokens above 3 gives them room" in ran.err
    ran = benchctl(*ask, "--model", "longest", "--max-tokens", "3")
    assert json.loads(ran.out)[0]["counts"]["unfinished"] == 0 and "cut off" not in ran.err


def test_generation_ends_before_a_stop_string(stories):
    ((_, response),) = load(stories).generate([Generate("Once upon a time", stop=(" She",), max_tokens=60)])
    assert response.text == ", there was a little girl named Lily."
    assert response.finish_reason == "stop"


def test_a_tokenizer_that_ends_every_text_does_not_end_a_prompt_that_goes_on(stories, tmp_path):
    """One saved by a training with add_eos_token=True: each choice was scored as that token, behind that token."""
    folder = tmp_path / "ends"
    shutil.copytree(stories.removeprefix("hf:"), folder)
    file = folder / "tokenizer.json"
    content = json.loads(file.read_text("utf-8"))
    processor = content["post_processor"]
    (bos,) = [part["SpecialToken"] for part in processor["single"] if "SpecialToken" in part]
    processor["single"].append({"SpecialToken": {**bos, "id": "</s>"}})
    processor["special_tokens"]["</s>"] = {"id": "</s>", "ids": [2], "tokens": ["</s>"]}
    file.write_text(json.dumps(content), "utf-8")
    plain, ending = load(stories), load(f"hf:{folder}")
    assert ending.tokenizer("a")["input_ids"] == [*plain.tokenizer("a")["input_ids"], 2]
    asked = [Choose("Once upon a time there was a", (" dog", " little girl")), Choose("", ("A", "B"))]
    assert ending.encoder.choose(asked) == plain.encoder.choose(asked)
    free = [Generate("Once upon a time", max_tokens=5)]
    assert ending.encoder.generate(free) == plain.encoder.generate(free)
    assert ending.encoder.perplexity([Perplexity(FOX)]) == plain.encoder.perplexity([Perplexity(FOX)])
    before = digest([ending._hashes, ending.dtype, "text", ending.encoder.max_length])
    assert ending.fingerprint() != before, "answers of that time are not taken up"


def test_batch_size_does_not_change_scores(stories):
    requests = [
        Choose(f"Once upon a time {'and then ' * (i % 7)}there was", (" a", " the big", " Lily")) for i in range(23)
    ]
    one = dict(load(f"{stories},batch_tokens=1").choose(requests))
    many = dict(load(f"{stories},batch_tokens=4096").choose(requests))
    for index in range(len(requests)):
        assert [c.nats for c in one[index].choices] == pytest.approx([c.nats for c in many[index].choices], abs=1e-4)


def test_what_does_not_fit_is_cut_on_the_left_and_counted(stories):
    prompt = "word " * 700 + "The end is"
    (_, cut), (_, whole) = sorted(load(stories).choose([Choose(prompt, (" near",)), Choose("The end is", (" near",))]))
    assert cut.cut > 0
    assert whole.cut == 0


def test_a_choice_longer_than_the_context_is_an_error(stories):
    ((_, response),) = load(stories).choose([Choose("Hi", (" yes", " no" * 600))])
    assert response.error is not None
    assert "512" in response.error


def test_a_long_text_is_scored_in_windows_each_token_once(stories):
    model = load(stories)
    text = (FOX + " ") * 60
    ((_, response),) = model.perplexity([Perplexity(text)])
    tokens = model.tokenizer(text, add_special_tokens=False)["input_ids"]
    assert response.tokens == len(tokens) > 512
    assert response.detail["windows"] > 1


def test_the_manifest_measures_the_model(stories):
    model = load(stories)
    list(model.choose([Choose("Hi", (" a", " b"))]))
    found = model.manifest()
    assert found["parameters"] == 260_032
    assert (found["dtype"], found["device"], found["max_length"]) == ("float32", "cpu", 512)
    assert re.fullmatch(r"[0-9a-f]{64}", found["weights_hash"])
    assert found["path"]


def test_the_fingerprint_is_of_the_weights_not_of_the_path(stories, tmp_path):
    folder = stories.removeprefix("hf:")
    shutil.copytree(folder, tmp_path / "copy")
    same, other = load(f"hf:{tmp_path / 'copy'}"), load(stories)
    assert same.fingerprint() == other.fingerprint()
    assert load(f"{stories},dtype=bfloat16").fingerprint() != other.fingerprint()
    weights = tmp_path / "copy/model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert load(f"hf:{tmp_path / 'copy'}").fingerprint() != other.fingerprint()


def test_other_weights_that_come_with_the_old_time_are_another_model(stories, tmp_path):
    shutil.copytree(stories.removeprefix("hf:"), tmp_path / "copy")
    weights = tmp_path / "copy/model.safetensors"
    before, stat = load(f"hf:{tmp_path / 'copy'}").fingerprint(), weights.stat()
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    os.utime(weights, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # as tar, zip and cp -p do
    assert load(f"hf:{tmp_path / 'copy'}").fingerprint() != before


@pytest.mark.parametrize("spec", ["tiny", "tiny-t5"])
def test_a_model_whose_weights_are_no_numbers_leaves_the_run_incomplete(spec, tmp_path, benchctl):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(load(spec).folder, tmp_path / "broken")
    (file,) = folder.glob("*.safetensors")
    weights = load_file(file)
    save_file({name: tensor * float("nan") for name, tensor in weights.items()}, file, {"format": "pt"})
    done = benchctl("run", "--task", "medmcqa-pt", "--data", "builtin", "--limit", "3", "--scoring", "generate",
                    "--model", f"hf:{folder}", "--max-tokens", "5")  # fmt: skip
    assert done.code == 3
    assert "3 samples without an answer" in done.err and "no numbers" in done.err


def test_pickled_weights_are_refused_unless_allowed(stories, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM

    folder = tmp_path / "pickled"
    shutil.copytree(stories.removeprefix("hf:"), folder, ignore=shutil.ignore_patterns("*.safetensors"))
    model = AutoModelForCausalLM.from_pretrained(stories.removeprefix("hf:"))
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(ModelCallError, match="only pickled weights") as stop:
        load(f"hf:{folder}").fingerprint()
    assert "allow_pickle=true" in stop.value.hint


CHAT = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"


@pytest.fixture
def chatty(stories, tmp_path):
    """The same model with a chat template."""
    folder = tmp_path / "chatty"
    shutil.copytree(stories.removeprefix("hf:"), folder)
    (folder / "chat_template.jinja").write_text(CHAT, "utf-8")
    return f"hf:{folder}"


def test_a_chat_template_is_used_when_there_is_one_and_its_use_is_recorded(chatty, benchctl):
    def prompts(spec):
        ran = benchctl("run", "--task", "medmcqa-pt", "--model", spec, "--data", "builtin", "--limit", "3", "--json")
        run = json.loads(ran.out)[0]["run"]
        return json.loads(benchctl("show", run, "--json").out)

    used, off = prompts(chatty), prompts(f"{chatty},chat=off")
    assert used["prompt"]["text"].startswith("<|system|>Responda") and used["prompt"]["text"].endswith("<|assistant|>")
    assert "<|" not in off["prompt"]["text"]
    assert used["model"]["prompt_style"] == "chat"
    assert used["model"]["chat_template"]
    assert off["model"]["prompt_style"] == "text"
    assert off["model"]["chat_template"] is None
    assert used["id"] != off["id"]


@pytest.mark.parametrize(
    "template",
    [
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + CHAT,
        CHAT.replace("for m in messages", "for m in messages if m.role != 'system'"),
    ],
    ids=["refused", "left out"],
)
def test_an_instruction_reaches_a_model_whose_template_has_no_place_for_it(chatty, template):
    (Path(chatty.removeprefix("hf:")) / "chat_template.jinja").write_text(template, "utf-8")
    encoder = load(chatty).encoder
    told = encoder.render((Message("system", "Responda com a letra."), Message("user", "Qual?")), free=False)
    assert told == "<|user|>Responda com a letra.\n\nQual?\n<|assistant|>"


IN_PARTS = (
    "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>{% for part in m.content %}{% if part.type == 'text' %}"
    "{{ part.text }}{% endif %}{% endfor %}{% endfor %}<|assistant|>"
)
"""As those of many models that also see: a plain text is gone without a word."""


def test_a_chat_template_that_takes_texts_in_parts_gets_them_in_parts(chatty):
    (Path(chatty.removeprefix("hf:")) / "chat_template.jinja").write_text(IN_PARTS, "utf-8")
    encoder = load(chatty).encoder
    turns = (
        Message("system", "Responda."),
        Message("user", "2+2?"),
        Message("assistant", "4"),
        Message("user", "Qual?"),
    )
    told = encoder.render(turns, free=True)
    assert told.endswith("2+2?<|assistant|>4<|user|>Qual?<|assistant|>") and "Responda." in told


def test_a_chat_template_that_leaves_out_the_question_is_refused(chatty, benchctl):
    (Path(chatty.removeprefix("hf:")) / "chat_template.jinja").write_text("{{ bos_token }}<|assistant|>", "utf-8")
    done = benchctl("run", "--task", "medmcqa-pt", "--data", "builtin", "--limit", "2", "--model", chatty)
    assert done.code == 1 and "leaves out what the user says" in done.err and "chat=off" in done.err


@pytest.mark.parametrize("template", ["{{ raise_exception('Roles must fit.') }}", "{% for m in messages %}{{ m }"])
def test_a_chat_template_that_cannot_be_filled_in_is_named_as_the_cause(chatty, template, benchctl):
    (Path(chatty.removeprefix("hf:")) / "chat_template.jinja").write_text(template, "utf-8")
    ran = benchctl("run", "--task", "medmcqa-pt", "--model", chatty, "--data", "builtin", "--limit", "1")
    assert ran.code == 1 and "chat template" in ran.err and "chat=off" in ran.err


THINKS = CHAT + (
    "{% if add_generation_prompt and enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
)
MAY_THINK = CHAT + "{% if add_generation_prompt and thinking %}<think>\n{% endif %}"
ALWAYS_THINKS = CHAT.replace("<|assistant|>", "<|assistant|><think>\n")
NOTHING_THOUGHT = "<|assistant|><think>\n\n</think>\n\n"


@pytest.fixture
def thinker(chatty, benchctl):
    """``thinker(template, options, task, ...)``: the record of a run of the same model with that template."""

    def ask(template, options, *arguments):
        (Path(chatty.removeprefix("hf:")) / "chat_template.jinja").write_text(template, "utf-8")
        ran = benchctl("run", "--model", chatty + options, "--data", "builtin", "--limit", "2", *arguments, "--json")
        assert ran.code == 0, ran.err
        return json.loads(benchctl("show", json.loads(ran.out)[0]["run"], "--json").out)

    return ask


@pytest.mark.parametrize("template", [THINKS, ALWAYS_THINKS], ids=["switch", "always"])
@pytest.mark.parametrize("options", ["", ",thinking=off"])
def test_a_choice_is_scored_behind_a_thought_that_is_over(thinker, template, options):
    record = thinker(template, options, "--task", "medmcqa-pt")
    assert record["prompt"]["text"].endswith(NOTHING_THOUGHT)
    assert record["model"]["thinking"] == (options.partition("=")[2] or "auto")


@pytest.mark.parametrize(
    ("template", "options", "end"),
    [
        (THINKS, "", "<|assistant|>"),
        (THINKS, ",thinking=on", "<|assistant|>"),
        (THINKS, ",thinking=off", NOTHING_THOUGHT),
        (MAY_THINK, "", "<|assistant|>"),
        (MAY_THINK, ",thinking=on", "<|assistant|><think>\n"),
        (MAY_THINK, ",thinking=off", "<|assistant|>"),
        (ALWAYS_THINKS, "", "<|assistant|><think>\n"),
        (ALWAYS_THINKS, ",thinking=on", "<|assistant|><think>\n"),
        (ALWAYS_THINKS, ",thinking=off", NOTHING_THOUGHT),
    ],
)
def test_before_a_free_answer_a_model_thinks_as_its_template_does_or_as_told(thinker, template, options, end):
    task = ("--task", "medmcqa-pt", "--scoring", "generate", "--max-tokens", "4")
    assert thinker(template, options, *task)["prompt"]["text"].endswith(end)


@pytest.mark.parametrize(("template", "options"), [(ALWAYS_THINKS, ""), (MAY_THINK, ",thinking=on")])
def test_a_thought_that_the_template_opened_and_the_limit_cut_off_is_no_answer(thinker, template, options):
    task = ("--task", "long-answer-pt", "--max-tokens", "4", "--metric", "length")
    record = thinker(template, options, *task)
    assert record["counts"]["unfinished"] == 2
    assert record["estimates"]["length"]["value"] == 0


def test_whether_a_model_was_told_to_think_is_part_of_its_run_where_the_template_knows_of_it(thinker):
    task = ("--task", "medmcqa-pt", "--scoring", "generate", "--max-tokens", "4")
    assert thinker(THINKS, "", *task)["id"] != thinker(THINKS, ",thinking=off", *task)["id"]
    assert "thinking" not in thinker(CHAT, "", *task)["model"]


@pytest.mark.parametrize(
    ("template", "options", "why"),
    [
        (CHAT, ",thinking=on", "template has no switch"),
        (CHAT, ",thinking=off", "template has no switch"),
        (THINKS, ",thinking=off,chat=off", "without a chat template"),
    ],
)
def test_a_switch_that_the_template_does_not_have_is_refused(chatty, benchctl, template, options, why):
    (Path(chatty.removeprefix("hf:")) / "chat_template.jinja").write_text(template, "utf-8")
    ran = benchctl("run", "--task", "medmcqa-pt", "--model", chatty + options, "--data", "builtin", "--limit", "1")
    assert ran.code == 1 and "error: thinking=o" in ran.err and why in ran.err


def study_template(readme: str) -> str:
    """The source study's wording as a Jinja template, read from the data's README: it is not ours to ship."""
    opening = re.search(r"Prompt: `(Abaixo[^`]*?)\{instruction\}", readme).group(1)
    intro = opening.replace("\\n", "\n")
    letters = "".join(f"{x}) {{{{ row.alternative_{x.lower()} }}}}" for x in "ABCD")
    return (
        f"{intro}{{% if row.input %}}{{{{ row.instruction.strip() }}}}\n\n###Input:{{{{ row.input }}}}"
        f"{{% else %}}{{% set body %}}{{{{ row.instruction }}}}{letters}"
        "{% endset %}{{ body.rstrip() }}{% endif %}\n\n### Resposta:\n\n"
    )


@pytest.mark.slow
def test_the_source_studys_rule_gives_its_505_predictions_and_perplexities(stories, shared, teste, tmp_path, benchctl):
    golden = json.loads((shared / "data/full_text_perplexity_golden.json").read_text("utf-8"))
    with teste.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    subset = tmp_path / "subset.csv"
    with subset.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows[g["row"]] for g in golden)
    (tmp_path / "study.j2").write_text(study_template((shared / "data/README.md").read_text("utf-8")), "utf-8")
    ran = benchctl("run", "--task", "multimedqa-pt", "--model", stories, "--data", subset, "--scoring", "perplexity",
                   "--prompt-template", "study.j2", "--json")  # fmt: skip
    assert json.loads(ran.out)[0]["n"] == 505
    answers, perplexities = {}, {}
    for file in tmp_path.glob("runs/*/*/*/samples.jsonl"):
        for line in map(json.loads, file.read_text("utf-8").splitlines()):
            values = [math.exp(-r["nats"] / r["tokens"]) for r in line["responses"]]
            perplexities[int(line["id"])] = dict(zip(line["sample"]["choices"], values, strict=True))
    for file in tmp_path.glob("runs/*/*/*/scores.jsonl"):
        answers |= {int(s["id"]): s["answer"] for s in map(json.loads, file.read_text("utf-8").splitlines())}
    near_ties = 0
    for place, g in enumerate(golden):
        labels = ("sim", "talvez", "não") if g["dataset"] == "PubMedQA" else tuple("ABCD")
        assert [perplexities[place][x] for x in labels] == pytest.approx(g["perplexities"], rel=1e-3)
        first, second = sorted(g["perplexities"])[:2]
        if answers[place] != g["prediction"]:
            assert (second - first) / first < 1e-4, f"row {g['row']} is no near tie"
            near_ties += 1
    assert near_ties <= 4


def test_the_must_have_run_on_shared_data(stories, teste, benchctl):
    ran = benchctl("run", "--task", "medmcqa-pt,mmlu-medical-pt", "--model", f"{stories},majority,random",
                   "--data", teste, "--limit", "5", "--json")  # fmt: skip
    results = json.loads(ran.out)
    assert len(results) == 6
    assert {r["status"] for r in results} == {"complete"}
    assert [r["n"] for r in results] == [5, 30] * 3
