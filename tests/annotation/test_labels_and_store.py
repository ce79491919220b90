"""Which key says what, and how the events become annotations."""

from __future__ import annotations

import pytest

from benchctl.annotation.labels import Label, label_keys
from benchctl.annotation.store import Draw, open_store, read_annotators
from benchctl.errors import BadConfig, RecordError
from benchctl.journal import read_lines


def test_an_option_has_its_letter_in_both_cases_and_the_digit_of_its_place():
    keys = label_keys({"A": "x", "B": "y"})
    assert keys["b"] == keys["B"] == keys["2"] == Label("choice", "B")
    assert keys["i"] == Label("invented")


def test_labels_that_are_words_have_digits():
    keys = label_keys({"sim": "sim", "não": "não", "talvez": "talvez"})
    assert [keys[k].label for k in "123"] == ["sim", "não", "talvez"]


def test_options_called_by_digits_keep_them_whatever_their_place():
    keys = label_keys({"0": "w", "1": "x", "2": "y"})
    assert [keys[k].label for k in "012"] == ["0", "1", "2"]


def test_an_option_called_like_a_command_or_an_outcome_has_only_its_digit():
    keys = label_keys({"M": "x", "N": "y", "S": "z"})
    assert keys["n"] == Label("none")
    assert "s" not in keys
    assert [keys[k].label for k in "123"] == ["M", "N", "S"]


def test_every_event_is_on_disk_when_the_call_returns(tmp_path):
    with open_store(tmp_path, "ana") as store:
        store.begin(Draw(random=True))
        store.label("q1", Label("choice", "A"))
        assert [e["event"] for e in read_lines(tmp_path / "annotations/ana.jsonl")] == ["sitting", "label"]


def test_undo_goes_back_through_labels_and_skips_over_sittings_and_keeps_notes(tmp_path):
    with open_store(tmp_path, "ana") as store:
        store.begin(Draw(random=True))
        store.label("q1", Label("choice", "A"))
        store.label("q1", Label("choice", "B"))
        store.skip("q2")
        store.note("q1", "dúvida")
    with open_store(tmp_path, "ana") as store:
        assert store.undo() == "q2"
        assert store.undo() == "q1"
        assert store.state.annotations["q1"].label == Label("choice", "A")
        assert store.state.annotations["q1"].note == "dúvida"
        assert store.undo() == "q1"
        assert store.undo() is None
    state = read_annotators(tmp_path)["ana"]
    assert state.annotations["q1"].label is None
    assert not state.annotations["q2"].skipped


def test_a_torn_last_line_is_dropped_and_the_rest_kept(tmp_path):
    with open_store(tmp_path, "ana") as store:
        store.begin(Draw())
        store.label("q1", Label("refusal"))
    file = tmp_path / "annotations/ana.jsonl"
    file.write_bytes(file.read_bytes() + b'{"event": "label", "id": "q2", "outc')
    with open_store(tmp_path, "ana") as store:
        assert list(store.state.annotations) == ["q1"]
        store.label("q2", Label("none"))
    assert list(read_annotators(tmp_path)["ana"].annotations) == ["q1", "q2"]


@pytest.mark.parametrize("name", ["", "../ana", "a/b", ".hidden", "x" * 65])
def test_a_name_that_is_no_file_name_is_refused(tmp_path, name):
    with pytest.raises(BadConfig), open_store(tmp_path, name):
        pass


def test_two_stores_of_one_annotator_are_refused(tmp_path):
    with open_store(tmp_path, "ana"), pytest.raises(RecordError), open_store(tmp_path, "ana"):
        pass
