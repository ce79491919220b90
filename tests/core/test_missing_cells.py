"""Cells without a value, as pandas writes them: NaN, which json and parquet hold as a number."""

import json

import pytest

from benchctl.errors import BadData
from benchctl.plugins import get_plugins

MEDMCQA = {
    "dataset": "MedMCQA", "instruction": "Qual osso?", "input": "", "output": "A", "alternative_a": "fêmur",
    "alternative_b": "tíbia", "alternative_c": "úmero", "alternative_d": "ulna",
}  # fmt: skip
MEDQA = {"question": "Which bone?", "options": dict(zip("ABCD", ("a", "b", "c", "d"), strict=True)), "answer_idx": "A"}
NOTHING = float("nan")


@pytest.mark.parametrize(
    ("task", "row", "reason"),
    [
        ("medmcqa-pt", MEDMCQA | {"alternative_d": NOTHING}, "alternative D is missing"),
        ("medmcqa-pt", MEDMCQA | {"instruction": NOTHING}, "no question"),
        ("medqa-en", MEDQA | {"options": MEDQA["options"] | {"D": NOTHING}}, "3 options where 4 were expected"),
        ("long-answer-pt", {"instruction": NOTHING, "output": "Sim."}, "no question"),
    ],
)
@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".parquet"])
def test_a_cell_without_a_value_is_empty_and_not_the_word_nan(tmp_path, task, row, reason, suffix):
    path = tmp_path / f"rows{suffix}"
    if suffix == ".parquet":
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row], schema=_schema(row)), path)
    else:
        path.write_text(json.dumps([row] if suffix == ".json" else row), "utf-8")
    with pytest.raises(BadData, match=reason):
        get_plugins().create("task", task).load(str(path))


def _schema(row):
    """Strings, and numbers where the value is one: of a column with nothing in it pandas makes numbers."""
    import pyarrow

    def kind(value):
        if isinstance(value, dict):
            return pyarrow.struct([(name, kind(part)) for name, part in value.items()])
        return pyarrow.float64() if isinstance(value, float) else pyarrow.string()

    return pyarrow.schema([(name, kind(value)) for name, value in row.items()])
