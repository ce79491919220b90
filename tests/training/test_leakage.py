"""Rows that also stand in a test set are found however they are dressed up, named, and refused."""

from __future__ import annotations

import csv
import random
import unicodedata
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchctl.config import load_config
from benchctl.data import read_table
from benchctl.errors import BadData, UnknownName
from benchctl.plugins import get_plugins
from benchctl_plugins.training.examples import Example
from benchctl_plugins.training.formats import from_table
from benchctl_plugins.training.leakage import LeakedRows, compare
from benchctl_plugins.training.likeness import in_order, stretch
from benchctl_plugins.training.prepare import guarded, prepare, read_parts
from benchctl_plugins.training.reading import find_recipe
from benchctl_plugins.training.tested import AtHand, Question, QuestionSet, at_hand, words

from .makers import recipe, tokenizer, write

LETTERS = "ABCD"


def asked(question, options=(), answer="Alternativa A."):
    lines = "".join(f"\n{letter}){option}" for letter, option in zip(LETTERS, options, strict=False))
    return Example("row 1", question + lines, answer)


def against(*questions):
    made = (Question("t", str(n), words(q), tuple(map(words, o))) for n, (q, o) in enumerate(questions))
    return AtHand((QuestionSet("here", tuple(made)),), ())


@cache
def samples():
    """The shipped test questions of the tasks with options."""
    plugins = get_plugins()
    return [s for name in ("medqa-pt", "medmcqa-pt") for s in plugins.create("task", name).load("builtin").samples]


@cache
def shipped():
    return at_hand()


# The studies' data


@pytest.fixture
def mix(tmp_path, shared, teste):
    """Makes a file of the study's validation rows with five test questions among them, three of them in another case
    and spacing; gives it with place -> number of the question."""
    return lambda places, upto=None, options=True: mixed(tmp_path, shared, teste, places, upto, options)


def mixed(tmp_path, shared, teste, places, upto, options):
    with (shared / "data/drbyte_ptbr/drbyte_ptbr_valid.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:upto]
    with teste.open(encoding="utf-8", newline="") as file:
        tests = [(n, row) for n, row in enumerate(csv.DictReader(file)) if row["dataset"] == "MedMCQA"]
    rng = random.Random(11)
    planted = {}
    for place, (n, row) in zip(places, rng.sample(tests, 5), strict=True):
        choices = "".join(f"\n{x}){row[f'alternative_{x.lower()}']}" for x in LETTERS)
        text = row["instruction"] + choices * options
        if len(planted) >= 2:
            text = "  ".join(text.swapcase().split(" ")).replace("\n", " \n\n ")
        rows.insert(place - 1, {"instruction": text, "output": f"Alternativa {row['output']}. Porque sim."})
        planted[place] = n
    return write(tmp_path / "mixed.csv", rows), planted


def test_five_test_questions_among_the_study_s_rows_are_refused_by_name_and_no_other_row(mix, teste):
    file, planted = mix((10, 500, 1000, 1500, 2000))
    with pytest.raises(LeakedRows) as raised:
        prepare(recipe(train=file), tokenizer(), test_data=[teste])
    guard = raised.value.guard
    assert {int(leak.place.split()[1]): int(leak.id) for leak in guard.leaks} == planted
    assert {leak.task for leak in guard.leaks} == {"medmcqa-pt"}
    assert raised.value.message.startswith("5 of 2118 training rows also stand in a test set: row 10 (line ")
    for place, number in planted.items():
        assert f"row {place} (line " in raised.value.message
        assert f" is medmcqa-pt {number} (word for word" in raised.value.message
    assert "--allow-leaks" in raised.value.hint


@pytest.mark.parametrize("options", ["with options", "without options"])
def test_a_question_is_refused_with_its_options_and_without(mix, teste, options):
    file, planted = mix((7, 400, 900, 1300, 2100), options=options == "with options")
    with pytest.raises(LeakedRows) as raised:
        prepare(recipe(train=file), tokenizer(), test_data=[teste])
    assert {int(leak.place.split()[1]): int(leak.id) for leak in raised.value.guard.leaks} == planted


@pytest.mark.slow
def test_leaks_can_be_left_out_or_trained_on_and_the_report_says_which(mix, teste):
    file, planted = mix((10, 20, 30, 40, 50), 100)
    kept = prepare(recipe(train=file, rows=40), tokenizer(), allow_leaks=True, test_data=[teste]).report
    drawn = {int(leak.place.split()[1]) for leak in kept.guard.leaks}
    assert drawn <= set(planted)
    assert not kept.guard.dropped
    dropped = prepare(recipe(train=file, leaks="drop"), tokenizer(), test_data=[teste]).report
    whole = prepare(recipe(train=file, leaks="drop"), tokenizer(), allow_leaks=True, test_data=[teste]).report
    assert whole.rows + whole.lost - dropped.rows - dropped.lost == 5
    assert dropped.guard.dropped
    assert any(line.startswith("leak, left out: row 10 ") for line in dropped.lines())
    assert any(line.startswith("leak, trained on: row 10 ") for line in whole.lines())
    assert len(dropped.as_json()["leakage"]["leaks"]) == 5


@pytest.mark.slow
def test_what_is_found_of_test_questions_that_were_changed_a_little(shared, teste):
    """Shares of 300 MedMCQA and MedQA questions put among the study's 2113 rows; see docs/how-to/training-data.md."""
    base = from_table(read_table(shared / "data/drbyte_ptbr/drbyte_ptbr_valid.csv"), "auto", False).items
    known = at_hand([teste])
    rows = [
        (n, r.values) for n, r in enumerate(read_table(teste).rows) if r.text("dataset") in ("MedMCQA", "MedQA (USMLE)")
    ]
    rng = random.Random(5)
    rows = rng.sample(rows, 300)

    def share(change):
        made = []
        for n, row in rows:
            question, options = change(row["instruction"], [row[f"alternative_{x.lower()}"] for x in LETTERS])
            made.append(Example(str(n), asked(question, options).question, f"Alternativa {row['output']}."))
        guard = compare([*made, *base], [], known)
        wanted = {e.place for e in made}
        strangers = {leak.place for leak in guard.leaks} - wanted
        assert not strangers, "none of the study's own rows is refused"
        named = {leak.place for leak in (*guard.leaks, *guard.alike)} & wanted
        return len({leak.place for leak in guard.leaks}) / len(rows), len(named) / len(rows)

    def thin(text):
        return " ".join([w for w in text.split() if rng.random() > 0.1] or [text])

    def one(text):
        pieces = text.split()
        pieces[rng.randrange(len(pieces))] = "mudada"
        return " ".join(pieces)

    assert share(lambda q, o: (q.upper(), o)) == (1.0, 1.0)
    assert share(lambda q, o: (q, [f"{x}) {t}" for x, t in zip(LETTERS, rng.sample(o, 4), strict=True)])) == (1.0, 1.0)
    refused, named = share(lambda q, o: (one(q), o))
    print(f"one word changed: refused {refused:.1%}, named {named:.1%}")
    assert refused >= 0.8
    assert named >= 0.93
    refused, named = share(lambda q, o: (thin(q), [thin(t) for t in o]))
    print(f"a tenth of the words dropped: refused {refused:.1%}, named {named:.1%}")
    assert refused >= 0.7
    assert named >= 0.88


@pytest.mark.parametrize("options", ["with options", "without options"])
def test_every_test_question_of_the_studies_is_found_in_itself(teste, options):
    known = at_hand([teste])
    rng = random.Random(2)
    rows = rng.sample(list(enumerate(read_table(teste).rows)), 400)
    made = []
    for n, row in rows:
        texts = [text for x in LETTERS if (text := row.text(f"alternative_{x.lower()}"))] * (options == "with options")
        made.append(Example(str(n), asked(row.text("instruction"), texts).question, row.text("output")))
    guard = compare(made, [], known)
    assert {leak.place for leak in guard.leaks} == {e.place for e in made}


# Disguises


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 47), st.integers(0, 2**16), st.sampled_from(["plain", "preamble", "turns", "answer"]))
def test_case_accents_spaces_letters_and_order_hide_nothing(number, seed, where):
    rng = random.Random(seed)
    sample = samples()[number]
    options = rng.sample(list(sample.choices.values()), len(sample.choices))
    flat = unicodedata.normalize(
        "NFKD", asked(sample.question, [f"{x}) {o}" for x, o in zip(LETTERS, options, strict=False)]).question
    )
    text = "".join(c.upper() if rng.random() < 0.5 else c for c in flat if not unicodedata.combining(c))
    text = text.replace(" ", rng.choice([" ", "  ", " \t"]))
    row = {
        "plain": Example("row 1", text, "Alternativa A."),
        "preamble": Example(
            "row 1", f"Responda com atenção à questão da prova de residência.\n\n{text}\n\nResposta:", "A"
        ),
        "turns": Example("row 1", "Qual a resposta?", "A", input=text),
        "answer": Example("row 1", "Escreva uma questão de prova.", text),
    }[where]
    (leak,) = compare([row], [], shipped()).leaks
    assert leak.id == sample.id


def test_a_question_with_its_answer_alone_is_found():
    for sample in samples():
        row = Example("row 1", sample.question, sample.choices[sample.target])
        assert [leak.id for leak in compare([row], [], shipped()).leaks] == [sample.id]


def test_a_rejected_answer_is_looked_through_too():
    sample = samples()[0]
    row = Example("row 1", "Escreva algo.", "Não.", rejected=asked(sample.question, sample.choices.values()).question)
    assert len(compare([row], [], shipped()).leaks) == 1


# What is no leak


def test_the_same_words_before_other_options_ask_something_else():
    known = against(("Qual é o próximo melhor passo no tratamento?", ["Soro", "Dextrose", "Repouso", "Cirurgia"]))
    other = asked("Um homem cai. Qual é o próximo melhor passo no tratamento?", ["Gesso", "Tala", "Raio X", "Alta"])
    assert not compare([other], [], known).leaks


def test_an_explanation_that_names_another_question_s_options_is_no_leak():
    known = against(
        ("A anemia falciforme é uma", ["Deleção de gene", "Modificação", "Mutação pontual", "Mutação de quadro"])
    )
    row = asked(
        "Defeito em snurps causa",
        ["Anemia falciforme é uma", "Talassemia", "Marfan", "EDS"],
        "Alternativa B. A deleção de gene, a modificação e a mutação pontual ou de quadro são outras.",
    )
    assert not compare([row], [], known).leaks


def test_training_rows_that_ship_are_no_test_rows():
    parts = read_parts(recipe())
    assert not compare(parts.train, (), shipped()).leaks


# What is compared


def test_the_report_says_what_was_compared_and_what_was_not():
    guard = prepare(recipe(), tokenizer()).report.guard
    assert guard.compared == {"builtin": sum(len(one.questions) for one in shipped().sets)}
    assert guard.compared["builtin"] > 200
    (line,) = [line for line in guard.lines() if line.startswith("not compared")]
    assert "luizlzg/drbyte_test (medmcqa-pt, " in line
    assert "--test-data" in line
    assert guard.lines()[0].startswith(
        f"leaks: 0 of 58 rows stand in a test set; compared with {guard.compared['builtin']}"
    )


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project folder with a benchctl.toml to fill."""
    monkeypatch.chdir(tmp_path)

    def configure(text):
        (tmp_path / "benchctl.toml").write_text(text)
        load_config.cache_clear()

    yield configure
    load_config.cache_clear()


def test_test_sets_that_the_project_names_are_compared(project, tmp_path, teste):
    project(f'[data]\ndrbyte = "{teste}"\nnotas = "notas.csv"\nlonge = "/mnt/longe.csv"\n')
    write(tmp_path / "notas.csv", [{"nota": "x"}])
    known = at_hand()
    assert {one.name: len(one.questions) for one in known.sets}["drbyte"] == 7045
    assert "[data] notas (in no task's layout)" in known.missing
    assert "[data] longe (its file is not there)" in known.missing
    assert not any("drbyte_test" in name for name in known.missing), "it is at hand now"
    row = read_table(teste).rows[0]
    file = write(
        tmp_path / "rows.jsonl", [{"instruction": row.text("instruction"), "output": row.text("alternative_a")}]
    )
    with pytest.raises(LeakedRows, match="medmcqa-pt 0"):
        prepare(recipe(train=file), tokenizer())


def test_originals_in_a_layout_of_their_own_are_read_by_their_task(shared):
    path = shared / "data/english_originals/medmcqa/dev.json"
    (_, given) = at_hand([f"medmcqa-en={path}"]).sets
    assert (len(given.questions), given.questions[0].task) == (4183, "medmcqa-en")
    with pytest.raises(UnknownName, match="medmcqa-e"):
        at_hand([f"medmcqa-e={path}"])


def test_any_file_of_questions_can_be_a_test_set(tmp_path):
    text = "Quantas vértebras cervicais tem a girafa adulta, segundo os anatomistas?"
    for name, row in {
        "a.csv": {"instruction": text, "output": "Sete."},
        "b.jsonl": {"question": text},
        "c.csv": {"texto": text},
    }.items():
        known = at_hand([write(tmp_path / name, [row])])
        (leak,) = compare([Example("row 9", text.upper(), "7")], [], known).leaks
        assert (leak.task, leak.id, leak.place) == (
            name,
            "row 1 (line 2)" if name[-1] == "v" else "row 1 (line 1)",
            "row 9",
        )
    with pytest.raises(BadData) as raised:
        at_hand([write(tmp_path / "d.csv", [{"foo": text}])])
    assert "a column 'question' or 'text'" in raised.value.hint


def test_a_test_set_in_the_hub_s_cache_is_compared(tmp_path, monkeypatch):
    import datasets
    import huggingface_hub.constants

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    question = "Qual osso da mão humana fratura mais em quedas sobre a palma?"
    row = {"dataset": "MedMCQA", "instruction": question, "input": "", "output": "A"}
    row |= {f"alternative_{x.lower()}": f"Osso {x}" for x in LETTERS}
    home = tmp_path / "luizlzg___drbyte_test/default/0.0.0/0123456789abcdef"
    made = datasets.Dataset.from_list([row])
    cached(home, made, "drbyte_test")
    before = huggingface_hub.constants.HF_HUB_OFFLINE
    known = at_hand()
    assert before == huggingface_hub.constants.HF_HUB_OFFLINE
    assert {one.name: len(one.questions) for one in known.sets}.get("hub:luizlzg/drbyte_test") == 1
    (leak,) = compare([asked(question, ["Osso A", "Osso B", "Osso C", "Osso D"])], [], known).leaks
    assert (leak.task, leak.id) == ("medmcqa-pt", "0")


INFANT = (
    "Lactente de quatro meses com tosse seca, cianose perioral, apneia breve, linfocitose acentuada, irmão tossidor, "
    "calendário vacinal atrasado; qual antibiótico macrolídeo encurta a transmissão domiciliar?"
)
FARMER = (
    "Agricultora idosa, picada noturna por escorpião amarelo, sudorese profusa, vômitos, sialorreia, edema pulmonar "
    "incipiente; quantas ampolas do soro específico devem correr imediatamente pela veia?"
)
OTHERS = [(f"Enchimento{n} alfa{n} beta{n} gama{n}", ()) for n in range(30)]


def test_of_several_questions_in_a_row_the_nearest_is_named_and_the_rest_counted():
    changed = FARMER.replace("idosa", "jovem").replace("noturna", "matinal")
    (leak,) = compare([asked(f"{changed} {INFANT}")], [], against((FARMER, ()), (INFANT, ()), *OTHERS)).leaks
    assert (leak.id, leak.stem, leak.more) == ("1", 1.0, 1)
    assert str(leak).endswith("(word for word, and 1 more)")


def test_a_row_that_holds_a_question_is_not_named_for_resembling_another():
    options, others = (
        ["Azitromicina", "Amoxicilina", "Cefalexina", "Doxiciclina"],
        ["Soro", "Dextrose", "Tala", "Gesso"],
    )
    like = INFANT.replace("quatro", "três").replace("breve", "longa").replace("seca", "rouca").replace("irmão", "primo")
    held, resembled = (INFANT, options), (like, [*options[:2], *others[:2]])
    alone = compare([asked(*held)], [], against(resembled, *OTHERS))
    assert len(alone.alike) == 1 and not alone.leaks
    both = compare([asked(*held)], [], against(held, resembled, *OTHERS))
    assert [leak.id for leak in both.leaks] == ["0"] and not both.alike


def test_half_of_the_options_make_a_question_alike_and_no_leak():
    row = asked(INFANT.replace("breve", "longa"), ["Azitromicina", "Amoxicilina", "Penicilina", "Gentamicina"])
    found = compare([row], [], against((INFANT, ["Azitromicina", "Amoxicilina", "Cefalexina", "Doxiciclina"]), *OTHERS))
    assert not found.leaks
    assert [(leak.options, leak.stem > 0.9) for leak in found.alike] == [(0.5, True)]


def test_left_out_of_the_validation_rows_is_only_the_row_that_leaks(tmp_path):
    def rows(name, *questions):
        return write(tmp_path / name, [{"instruction": q, "output": "Não sei dizer."} for q in questions])

    train, held_out = rows("train.csv", "Onde fica o baço?", "O que faz o fígado?"), rows("v.csv", FARMER, "E o rim?")
    asks = write(tmp_path / "test.csv", [{"question": FARMER}])
    kept = recipe(train=train, validation=held_out, leaks="drop")
    parts, guard = guarded(kept, read_parts(kept), False, [asks])
    assert [leak.place for leak in guard.leaks] == ["validation row 1 (line 2)"]
    assert [e.question for e in parts.train] == ["Onde fica o baço?", "O que faz o fígado?"]
    assert [e.question for e in parts.validation] == ["E o rim?"]


def test_rows_that_resemble_a_question_come_nearest_first_and_are_no_leaks():
    def changed(every):
        return " ".join(f"outra{n}" if n % every == 0 else word for n, word in enumerate(INFANT.split()))

    rows = [asked(changed(every), ["Azitromicina", "Amoxicilina", "Penicilina", "Gentamicina"]) for every in (4, 5)]
    question = (INFANT, ["Azitromicina", "Amoxicilina", "Cefalexina", "Doxiciclina"])
    found = compare(rows, [], against(question, *OTHERS))
    assert not found.leaks and len(found.alike) == 2
    assert 0.82 > found.alike[0].stem > found.alike[1].stem > 0.6
    assert [leak.options for leak in found.alike] == [0.5, 0.5]


def test_the_medtext_recipe_trains_on_what_its_task_tests_on_until_rows_are_held_out_for_the_test(
    tmp_path, monkeypatch
):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    cases = [
        {"Prompt": f"Caso {n}: homem de {n + 30} anos com {sign} há dois dias, sem outras queixas. O que fazer agora?",
         "Completion": f"Pedir {exam} antes de qualquer outra medida e reavaliar em {n + 2} horas."}
        for n, (sign, exam) in enumerate([("dor torácica", "eletrocardiograma"), ("febre e tosse seca", "radiografia"),
                                          ("cefaleia súbita", "tomografia"), ("urina escura", "bilirrubinas")])
    ]  # fmt: skip
    cached(tmp_path / "BI55___med_text/default/0.0.0/0123456789abcdef", datasets.Dataset.from_list(cases), "med_text")

    def prepared(file, *changes, **options):
        given = find_recipe("llama2-gptq-dpo-medtext", [f"data.train={file}", *changes])
        return prepare(given, tokenizer(), **options).report

    whole, part = (write(tmp_path / name, rows) for name, rows in (("whole.csv", cases), ("part.csv", cases[:3])))
    rest = f"medtext={write(tmp_path / 'rest.csv', cases[3:])}"
    for changes in ([], ["data.leaks=drop"]):
        with pytest.raises(LeakedRows, match="4 of 4 training rows also stand in a test set") as refused:
            prepared(whole, *changes)
        assert "No row is left without them" in refused.value.hint and "TASK=REST" in refused.value.hint
    with pytest.raises(LeakedRows, match=r"1 of 4 training rows .* is medtext 0 ") as refused:
        prepared(whole, test_data=[rest])
    assert "data.leaks=drop" in refused.value.hint
    knowingly = prepared(whole, allow_leaks=True)
    assert knowingly.rows + knowingly.validation_rows == 4 and knowingly.guard.trained_on == {"medtext": 4}
    alone = [dict.fromkeys(cases[0], "Outra coisa, que nenhum teste pergunta?")]
    held_out = write(tmp_path / "held_out.csv", alone)  # that these may stay leaves nothing to train on
    with pytest.raises(LeakedRows, match="4 of 5 training rows") as refused:
        prepared(whole, "data.leaks=drop", f"data.validation={held_out}")
    assert "No row is left without them" in refused.value.hint
    clean = prepared(part, test_data=[rest])
    assert clean.rows + clean.validation_rows == 3 and clean.guard.trained_on == {}
    assert prepared(whole, "data.leaks=drop", test_data=[rest]).guard.trained_on == {}


def cached(home: Path, made, name: str) -> None:
    """Write a dataset as datasets keeps what it has downloaded."""
    from datasets import DatasetInfo, Features, SplitDict, SplitInfo
    from datasets.arrow_writer import ArrowWriter

    home.mkdir(parents=True)
    with ArrowWriter(path=str(home / f"{name}-train.arrow"), features=Features(made.features)) as writer:
        for row in made:
            writer.write(row)
        writer.finalize()
    splits = SplitDict({"train": SplitInfo("train", num_examples=len(made), dataset_name=name)})
    info = DatasetInfo(
        features=made.features,
        splits=splits,
        dataset_name=name,
        builder_name="csv",
        config_name="default",
        version="0.0.0",
    )
    info.write_to_directory(str(home))


# The measure


@settings(max_examples=100)
@given(st.lists(st.sampled_from("abcd"), max_size=12), st.lists(st.sampled_from("abcd"), max_size=12))
def test_the_weight_in_order_is_that_of_the_longest_common_subsequence(one, other):
    def longest(a, b):
        if not a or not b:
            return 0
        if a[0] == b[0]:
            return 1 + longest(a[1:], b[1:])
        return max(longest(a[1:], b), longest(a, b[1:]))

    one, other = one[:7], other[:7]
    assert in_order(one, [1.0] * len(one), other) == longest(one, other)


@given(st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=8), st.integers(0, 60), st.integers(0, 60))
def test_the_stretch_holds_a_question_wherever_it_stands(stem, before, after):
    row = (*["x"] * before, *stem, *["y"] * after)
    found = stretch(tuple(stem), row)
    assert in_order(stem, [1.0] * len(stem), found) == len(stem)
    assert len(found) <= 1.3 * len(stem) + 8
