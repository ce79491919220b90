"""What is asked and how the replies are read, each through a whole run against a local server."""

from __future__ import annotations

import json
import re

import pytest

from benchctl.config import load_config
from benchctl.creation import create_model
from benchctl.model import ModelArgs
from benchctl.plugins import get_plugins
from benchctl.types import Generate
from benchctl_plugins.models.openai_api.settings import Settings
from benchctl_plugins.models.openai_api.wire import Wire, spelt

from .conftest import answers, record, result

GENERATE = ("--scoring", "generate")


def test_free_answers_are_written_down_with_usage_and_what_the_server_says_it_is(serve, run, tmp_path):
    server = serve()
    ran = run(f"openai:gpt,base_url={server.url}", *GENERATE)
    manifest = record(ran, tmp_path)
    assert ran.code == 0 and manifest["status"] == "complete"
    assert manifest["counts"]["outcomes"] == {"choice": 10}
    assert (manifest["counts"]["prompt_tokens"], manifest["counts"]["completion_tokens"]) == (1000, 100)
    model = manifest["model"]
    assert (model["served_model"], model["system_fingerprints"]) == (["served-1"], ["fp_1"])
    assert model["prompt_style"] == "chat" and model["base_url"] == server.url and model["calls"] == 10
    first = answers(ran, tmp_path)[0]["responses"][0]
    assert first["text"].startswith("Alternativa ") and first["finish_reason"] == "stop" and first["seconds"] > 0


def test_the_record_of_each_task_says_who_answered_that_task_and_what_it_took(serve, benchctl, tmp_path):
    server = serve(becomes="served-2", becomes_after=10)
    ran = benchctl("run", "--task", "medmcqa-pt,medqa-pt", "--data", "builtin", "--limit", "10", *GENERATE, "--json",
                   "--model", f"openai:gpt,base_url={server.url},connections=1")  # fmt: skip
    first, second = (json.loads((tmp_path / one["path"] / "run.json").read_text()) for one in json.loads(ran.out))
    assert (first["model"]["served_model"], second["model"]["served_model"]) == (["served-1"], ["served-2"])
    assert (first["model"]["calls"], second["model"]["calls"]) == (10, second["counts"]["n"])


def test_a_model_that_changes_between_two_sittings_stays_in_the_record_and_is_told(serve, run, tmp_path):
    server = serve(becomes="served-2", becomes_after=4, die_after=4)
    spec = f"openai:gpt,base_url={server.url},connections=1,retries=0,patience=1"
    assert record(run(spec, *GENERATE), tmp_path)["model"]["served_model"] == ["served-1"]
    server.post("/revive")
    ran = run(spec, *GENERATE)
    assert record(ran, tmp_path)["model"]["served_model"] == ["served-1", "served-2"]
    assert "served-1, served-2" in ran.err, "a figure of two models is no figure of one"
    names = [line["responses"][0]["detail"]["served_model"] for line in answers(ran, tmp_path)]
    assert names == ["served-1"] * 4 + ["served-2"] * 6


def test_choices_go_by_the_first_tokens_log_probabilities_where_the_server_gives_them(serve, run, tmp_path):
    ran = run(f"openai:gpt,base_url={serve(logprobs='yes').url}")
    assert record(ran, tmp_path)["model"]["choose_by"] == {"logprobs": 10}
    assert result(ran)["outcomes"] == {"choice": 10}
    nats = [choice["nats"] for choice in answers(ran, tmp_path)[0]["responses"][0]["choices"]]
    assert max(nats) == pytest.approx(-0.3567, abs=1e-3), "'B' at 0.6 and ' B' at 0.1 are both the letter B"


def test_choices_are_read_from_a_written_answer_where_it_gives_none_and_the_record_says_so(serve, run, tmp_path):
    server = serve(say="A resposta correta é a letra @.")
    ran = run(f"openai:gpt,base_url={server.url}")
    assert record(ran, tmp_path)["model"]["choose_by"] == {"generation": 10}
    first = answers(ran, tmp_path)[0]["responses"][0]
    assert first["detail"]["choose_by"] == "generation" and "choices" not in first
    assert result(ran)["outcomes"] == {"choice": 10}
    assert server.stats()["asked"] == 11, "one reply is enough to learn that there are no log-probabilities"


def test_choices_made_in_two_ways_in_two_sittings_are_told(serve, run, tmp_path):
    first = serve(die_after=4)
    model = f"openai:gpt,base_url={first.url},retries=0,connections=1"
    assert "different ways" not in run(model).err
    first.stop()
    serve(port=first.port, logprobs="yes")  # a router has put another provider's behind the name
    ended = run(model)
    assert ended.code == 0 and record(ended, tmp_path)["model"]["choose_by"] == {"generation": 3, "logprobs": 7}
    assert "made in different ways, 3 by generation, 7 by logprobs" in ended.err


def test_a_written_answer_that_names_no_option_is_an_outcome_and_no_guess(serve, run, tmp_path):
    ran = run(f"openai:gpt,base_url={serve(say='Há vários pontos de vista sobre isso e cada caso é um caso.').url}")
    assert "choice" not in result(ran)["outcomes"]
    ran = run(f"openai:gpt,base_url={serve(logprobs='none-of-them').url}")
    assert result(ran)["outcomes"] == {"none": 10}, "'a' in small letters is an article, not the option A"
    assert "prints some, with --scoring generate" in ran.err, "a model can read free answers alone"


def test_a_server_that_lists_fewer_of_the_likely_tokens_is_asked_for_as_many_as_it_lists(serve, run, tmp_path):
    server = serve(logprobs="yes", most_top=5)
    ran = run(f"openai:gpt,base_url={server.url}")
    assert record(ran, tmp_path)["model"]["choose_by"] == {"logprobs": 10} and server.stats()["asked"] == 11


def test_a_403_about_log_probabilities_says_how_choices_are_made_and_stops_nothing(serve, run, tmp_path):
    ran = run(f"openai:gpt,base_url={serve(forbid='logprobs').url}")
    assert ran.code == 0 and record(ran, tmp_path)["model"]["choose_by"] == {"generation": 10}


@pytest.mark.parametrize("scoring", ["letter", "generate"])
def test_a_question_that_a_service_flags_is_one_error_and_decides_nothing_for_the_others(serve, run, tmp_path, scoring):
    server = serve(logprobs="yes", flag="ABC")
    ran = run(f"openai:gpt,base_url={server.url},connections=1", "--scoring", scoring)
    counts = result(ran)["counts"]
    assert ran.code == 3 and counts["answered"] > 0 and counts["errors"] > 0 and "flagged" in ran.err
    assert server.stats()["asked"] == 10, "each was asked"
    if scoring == "letter":
        assert record(ran, tmp_path)["model"]["choose_by"] == {"logprobs": counts["answered"]}


def test_a_first_question_that_is_too_long_does_not_decide_how_the_others_are_answered(serve, run, tmp_path):
    ran = run(f"openai:gpt,base_url={serve(logprobs='yes', too_long='ABD').url},connections=1")
    counts = result(ran)["counts"]
    assert ran.code == 3 and counts["answered"] > 0 and "maximum context length" in ran.err
    assert record(ran, tmp_path)["model"]["choose_by"] == {"logprobs": counts["answered"]}


def test_half_an_emoji_at_the_end_of_a_text_is_written_down_as_a_missing_character(serve, run, tmp_path):
    ran = run(f"openai:gpt,base_url={serve(say='Alternativa @ é ½').url}", *GENERATE)
    assert ran.code == 0 and answers(ran, tmp_path)[0]["responses"][0]["text"].endswith(" é \ufffd")


def test_a_server_that_gives_no_log_probabilities_cannot_be_made_to_by_an_option(serve, run):
    ran = run(f"openai:gpt,base_url={serve().url},choose_by=logprobs")
    assert ran.code == 3 and result(ran)["counts"]["errors"] == 10 and "no log-probabilities" in ran.err


def test_yes_no_and_maybe_are_recognised_by_their_beginnings():
    from benchctl_plugins.models.openai_api.choosing import weigh_labels
    from benchctl_plugins.models.openai_api.wire import Likely

    tops = [Likely("N", -1.0), Likely(" tal", -2.0), Likely("sim", -3.0), Likely("O", -0.9)]
    found = weigh_labels(tops, ["sim", "não", "talvez"])
    assert found is not None and [round(s.nats, 6) for s in found.scores] == [-3.0, -1.0, -2.0]


def test_a_label_that_is_not_listed_gets_no_more_than_it_can_have():
    from benchctl_plugins.models.openai_api.choosing import weigh_labels
    from benchctl_plugins.models.openai_api.wire import Likely

    found = weigh_labels([Likely("A", -0.1), Likely("x", -3.0)], ["A", "B"])
    assert found is not None and found.unseen == ("B",)
    assert found.scores[1].nats < -3.0 and weigh_labels([Likely("x", -0.1)], ["A", "B"]) is None


def test_options_texts_cannot_be_weighed_in_chat_and_are_by_echo_in_completions(serve, run, tmp_path):
    server = serve()
    refused = run(f"openai:gpt,base_url={server.url}", "--scoring", "option")
    assert refused.code == 1 and "cannot weigh" in refused.err and "Traceback" not in refused.err
    ran = run(f"openai:gpt,base_url={server.url},mode=completions", "--scoring", "option")
    line = answers(ran, tmp_path)[0]
    expected = [len(text) + 1 for text in line["sample"]["choices"].values()]
    assert [-4 * c["nats"] for c in line["responses"][0]["choices"]] == expected, "a quarter per letter"
    assert record(ran, tmp_path)["model"]["prompt_style"] == "text"


def test_a_beginning_of_text_token_that_the_server_counts_among_the_letters_moves_no_option(serve, run, tmp_path):
    server = serve(bos="<|begin_of_text|>")
    ran = run(f"openai:gpt,base_url={server.url},mode=completions", "--scoring", "option")
    line = answers(ran, tmp_path)[0]
    expected = [len(text) + 1 for text in line["sample"]["choices"].values()]
    assert [-4 * c["nats"] for c in line["responses"][0]["choices"]] == expected
    ran = run(f"openai:gpt,base_url={server.url},mode=completions", "--scoring", "perplexity")
    response = answers(ran, tmp_path)[0]["responses"][0]
    assert response["detail"]["bos"] is True


@pytest.mark.parametrize(
    ("tokens", "ends"),
    [
        (["Olá", " µg", "!"], (3, 6, 7)),
        (["Olá", " µg", "!", " e depois"], (3, 6, 7, 8)),
        (["<s>", "Olá", " ", "\ufffd", "\ufffd", "g", "!"], (0, 3, 4, 5, 5, 6, 7)),
        (["", "Olá", " ", "", "µ", "g!"], (0, 3, 4, 5, 5, 7)),
        (["Olá", " ", "bytes:\\xc2", "bytes:\\xb5", "g!"], (3, 4, 5, 5, 7)),
        (["Olá", " µ"], None),
        (["Ola", " µg", "!"], None),
        ([], None),
    ],
)
def test_echoed_tokens_end_where_their_letters_do_in_the_text(tokens, ends):
    assert spelt(tokens, "Olá µg!") == ends


def test_perplexity_is_offered_by_completions_that_echo_and_by_nothing_else(serve, run, tmp_path):
    server = serve()
    refused = run(f"openai:gpt,base_url={server.url}", "--scoring", "perplexity")
    assert refused.code == 1 and "cannot 'perplexity'" in refused.err
    ran = run(f"openai:gpt,base_url={server.url},mode=completions", "--scoring", "perplexity")
    response = answers(ran, tmp_path)[0]["responses"][0]
    assert ran.code == 0 and response["nats"] < 0 and response["tokens"] > 10 and response["bytes"] > 100


def test_a_reply_of_hidden_thinking_alone_is_an_answer_of_no_words(serve, run, tmp_path):
    server = serve(only_thinks="yes")
    ran = run(f"openai:gpt,base_url={server.url},retries=0", *GENERATE)
    assert ran.code == 0 and result(ran)["outcomes"] == {"none": 10}, "asking again would give the same"
    assert answers(ran, tmp_path)[0]["responses"][0]["text"] == ""


def test_newer_models_name_for_the_length_limit_is_learnt_from_the_refusal(serve, run):
    server = serve(refuse="max_tokens")
    ran = run(f"openai:gpt,base_url={server.url},connections=4", *GENERATE)
    assert ran.code == 0 and server.stats()["asked"] <= 14


@pytest.mark.parametrize(
    "refusal",
    [
        "System role not supported",
        "Only user and assistant roles are supported!",
        "Conversation roles must alternate user/assistant/user/assistant/...",
        "System messages are not allowed for this model.",
        "Developer instruction is not enabled for this model",
    ],
)
def test_a_chat_template_without_a_system_turn_gets_the_instruction_in_front_of_the_question(serve, run, refusal):
    server = serve(no_system=refusal)
    ran = run(f"openai:gpt,base_url={server.url},connections=4", *GENERATE)
    assert ran.code == 0 and server.stats()["asked"] <= 14


def test_a_server_that_refuses_one_thing_after_another_gets_each_in_its_own_terms(serve, run):
    server = serve(refuse="max_tokens", no_system="'messages[0].role' does not support 'system' with this model.")
    ran = run(f"openai:gpt,base_url={server.url}", *GENERATE)
    assert ran.code == 0, "all the questions were under way before the first refusal"


def test_stop_strings_that_a_model_refuses_are_cut_off_here(serve):
    """o3, gpt-5: 'stop' is not supported with this model."""
    server = serve(refuse="stop", say="Alternativa @\n\nPergunta: e depois?")
    model = create_model(get_plugins(), f"openai:gpt,base_url={server.url},connections=2")
    found = dict(model.generate([Generate(f"{i}", stop=("\n\n",)) for i in range(4)]))
    assert [found[i].error for i in range(4)] == [None] * 4
    assert all((found[i].text or "").startswith("Alternativa ") and len(found[i].text or "") == 13 for i in range(4))


def test_an_answer_that_is_cut_at_its_stop_string_here_is_whole():
    wire = Wire(Settings.read(ModelArgs("", "gpt", {"base_url": "http://127.0.0.1:9/v1"})))
    reply = {"choices": [{"message": {"content": "B\n\nPergunta: e"}, "finish_reason": "length"}]}
    assert wire.read_written(reply, ("\n\n",)) == ("B", "stop")
    assert wire.read_written(reply, ("###",)) == ("B\n\nPergunta: e", "length")


def test_a_refusal_that_nothing_helps_against_is_an_error_with_the_servers_words(serve, run):
    ran = run(f"openai:gpt,base_url={serve(refuse='temperature').url}", *GENERATE)
    assert ran.code == 3 and result(ran)["counts"]["errors"] == 10 and "Unsupported: 'temperature'" in ran.err
    assert "temperature=default sends none. The same command" in ran.err
    ran = run(f"openai:gpt,base_url={serve(refuse='temperature').url},temperature=default", *GENERATE)
    assert ran.code == 0


def test_cost_is_counted_by_the_price_table_and_stops_the_run_where_it_is_told_to(serve, run, tmp_path):
    (tmp_path / "benchctl.toml").write_text('[prices."gpt"]\nprompt = 1000\ncompletion = 10000\n')  # 0.2 an answer
    model = f"openai:gpt,base_url={serve(delay=0.02).url},connections=1"
    stopped = run(model, *GENERATE, "--max-cost", "1")
    assert stopped.code == 3 and result(stopped)["status"] == "incomplete"
    assert result(stopped)["counts"]["cost"] == pytest.approx(1.0) and "stopped at the cost allowed" in stopped.err
    assert "1.0000 of 1 spent." in stopped.err
    ended = run(model, *GENERATE, "--max-cost", "5")
    assert ended.code == 0, "another limit goes on with the same run"
    assert result(ended)["counts"]["cost"] == pytest.approx(2.0) and result(ended)["run"] == result(stopped)["run"]


def test_a_limit_below_what_the_calls_under_way_cost_says_so(serve, run, tmp_path):
    (tmp_path / "benchctl.toml").write_text('[prices."gpt"]\nprompt = 1000\ncompletion = 10000\n')  # 0.2 an answer
    model = f"openai:gpt,base_url={serve(delay=0.1).url},connections=4"
    stopped = run(model, *GENERATE, "--max-cost", "0.5")
    assert re.search(r"cost allowed: 0\.[24]000 of 0\.5 spent, [23] calls under way", stopped.err), stopped.err


@pytest.mark.parametrize(
    ("mode", "scoring"), [("chat", "letter"), ("completions", "option"), ("completions", "perplexity")]
)
def test_every_call_that_was_paid_is_in_the_cost_of_the_record(serve, run, tmp_path, mode, scoring):
    (tmp_path / "benchctl.toml").write_text('[prices."gpt"]\nprompt = 1000\ncompletion = 10000\n')  # 0.2 a call
    server = serve()
    ran = run(f"openai:gpt,base_url={server.url},mode={mode}", "--scoring", scoring, limit=3)
    asked, found = server.stats()["asked"], record(ran, tmp_path)
    assert ran.code == 0 and asked > 3, "one finds out that there are no log-probabilities; or one for each option"
    assert found["counts"]["cost"] == pytest.approx(found["model"]["spent"]) == pytest.approx(0.2 * asked)
    assert found["counts"]["prompt_tokens"] == 100 * asked


def test_a_cost_limit_without_a_price_is_refused_before_anything_is_asked(serve, run):
    server = serve()
    ran = run(f"openai:gpt,base_url={server.url}", *GENERATE, "--max-cost", "1")
    assert ran.code == 1 and '[prices."gpt"]' in ran.err and server.stats()["asked"] == 0


def test_a_server_that_tells_no_tokens_has_no_cost_and_can_keep_no_limit_of_it(serve, run, tmp_path):
    (tmp_path / "benchctl.toml").write_text('[prices."gpt"]\nprompt = 1000\ncompletion = 10000\n')
    model = f"openai:gpt,base_url={serve(untold='yes').url},connections=1"
    stopped = run(model, *GENERATE, "--max-cost", "1")
    assert stopped.code == 3 and result(stopped)["counts"]["answered"] == 1
    assert "does not tell the tokens" in stopped.err
    ended = run(model, *GENERATE)
    assert ended.code == 0 and "cost" not in result(ended)["counts"], "unknown is not free"


def test_answers_that_were_given_before_there_was_a_price_leave_the_run_without_a_sum(serve, run, tmp_path):
    server = serve(die_after=4)
    model = f"openai:gpt,base_url={server.url},retries=0,connections=1"
    assert result(run(model, *GENERATE))["counts"]["answered"] == 4
    server.post("/revive")
    (tmp_path / "benchctl.toml").write_text('[prices."gpt"]\nprompt = 1000\ncompletion = 10000\n')
    load_config.cache_clear()  # another command
    ended = run(model, *GENERATE)
    assert ended.code == 0 and result(ended)["counts"]["prompt_tokens"] == 1000
    assert "cost" not in result(ended)["counts"], "2.0 were paid, and 1.2 of it is known"


def test_options_that_cannot_change_an_answer_are_no_part_of_the_runs_identity(serve, run, tmp_path):
    url = serve().url
    one = run(f"openai:gpt,base_url={url},timeout=7,connections=2", *GENERATE)
    two = run(f"openai:gpt,base_url={url}", *GENERATE)
    other = run(f"openai:gpt,base_url={url},temperature=1", *GENERATE)
    assert result(one)["run"] == result(two)["run"] != result(other)["run"]
    assert record(one, tmp_path)["spec"]["model"] == f"openai:gpt,base_url={url}"


def test_a_name_with_slashes_and_colons_stays_as_it_is(serve, run):
    ran = run(f"openai:meta-llama/llama-3:free,base_url={serve().url}", *GENERATE)
    assert ran.code == 0 and "meta-llama/llama-3:free: 10 of 10" in ran.err, "':free:' is no emoji"


def test_a_named_model_keeps_its_name(serve, run, tmp_path):
    (tmp_path / "benchctl.toml").write_text(f'[models.mine]\nspec = "openai:gpt,base_url={serve().url},rpm=60000"\n')
    assert record(run("mine", *GENERATE), tmp_path)["spec"]["model"] == "mine"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("openai:", "needs a model"),
        ("openai:gpt,base_url=ftp://x", "no http or https"),
        ("openai:gpt,mode=talk", "mode=talk is not known"),
        ("openai:gpt,timeout=soon", "timeout=soon is no number"),
        ("openai:gpt,retries=inf", "retries=inf is no whole number"),
        ("openai:gpt,seed=1.5", "seed=1.5 is no whole number"),
        ("openai:gpt,conections=3", "Did you mean connections"),
    ],
)
def test_a_wrong_option_is_said_in_two_lines(run, spec, said):
    ran = run(spec, *GENERATE)
    assert ran.code == 1 and said in ran.err and "Traceback" not in ran.err
    assert len([line for line in ran.err.splitlines() if line.startswith(("error:", "hint:"))]) == 2


def test_the_answers_of_interrupted_consumers_leave_no_thread_behind():
    import asyncio
    import threading
    from contextlib import asynccontextmanager

    from benchctl.types import Response
    from benchctl_plugins.models.openai_api.pump import stream

    begun, closed = [], []

    @asynccontextmanager
    async def session():
        async def ask(index):
            begun.append(index)
            await asyncio.sleep(0.001)
            return Response(text=str(index))

        try:
            yield ask
        finally:
            closed.append(True)

    before = threading.active_count()
    answered = stream(session, 100_000, 8)
    assert next(answered)[1].text is not None
    answered.close()
    assert closed == [True] and threading.active_count() == before
    assert len(begun) < 200, "no more is asked than the consumer can take"


def test_a_model_that_begins_with_its_thinking_is_read_by_letter_once_told_not_to(serve, run, tmp_path):
    spec = f"openai:gpt,base_url={serve(thinks='yes', logprobs='yes').url}"
    thinking, told = run(spec), run(f"{spec},thinking=off")
    assert result(thinking)["outcomes"] == {"none": 10}
    assert result(told)["outcomes"] == {"choice": 10}
    assert record(told, tmp_path)["model"]["thinking"] == "off" and result(told)["run"] != result(thinking)["run"]


def test_a_completion_has_no_template_to_tell(serve, benchctl):
    spec = f"openai:m,base_url={serve().url},mode=completions,thinking=off"
    ran = benchctl("run", "--task", "medmcqa-pt", "--model", spec, "--data", "builtin", "--limit", 1)
    assert ran.code == 1 and "thinking" in ran.err and "completions" in ran.err


def test_the_wire_names_no_default_that_differs_from_the_request():
    from benchctl.model import parse_spec
    from benchctl.types import Message
    from benchctl_plugins.models.openai_api.settings import Settings
    from benchctl_plugins.models.openai_api.wire import Wire

    settings = Settings.read(parse_spec("openai:m,base_url=http://127.0.0.1:9/v1,seed=3")[1])
    body = Wire(settings).written((Message("user", "olá"),), 9, 0.0, ("\n",))
    assert body == {
        "model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "olá"}], "temperature": 0.0, "seed": 3,
        "stop": ["\n"],
    }  # fmt: skip
    assert json.dumps(body)
