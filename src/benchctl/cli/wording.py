"""Numbers and words of the comparison tables, in the language asked for."""

from __future__ import annotations

from collections.abc import Mapping

from benchctl.pairing import Difference
from benchctl.types import Estimate

PT: Mapping[str, str] = {
    "better": "melhor", "worse": "pior", "differs": "difere", "unclear": "não se distingue", "same": "igual",
    "model": "modelo",
    "metric": "métrica", "difference": "diferença", "95 % interval": "intervalo de 95 %", "only A": "só A",
    "only B": "só B", "verdict": "veredito", "task": "tarefa", "all together": "todas juntas",
    "lower is better": "menor é melhor", "parameters": "parâmetros", "trainable": "treináveis", "share": "parcela",
    "epochs": "épocas", "time": "tempo", "memory": "memória", "base": "base", "no pairs": "sem pares",
    "warning": "aviso", "answered by both": "respondidas por ambos", "disagreements on": "divergências em",
    "right": "certa", "none": "nenhuma", "shown": "mostradas",
    "difference: B minus A": "diferença: B menos A",
    "value; difference to the base in percent; in points [95 % interval]":
        "valor; diferença para a base em por cento; em pontos [intervalo de 95 %]",
}  # fmt: skip


def say(words: str, lang: str) -> str:
    """The words in Portuguese or, as they stand, in English."""
    return PT.get(words, words) if lang == "pt" else words


def number(value: float, decimals: int, lang: str, signed: bool = False) -> str:
    """With a decimal comma in Portuguese; a minus is a minus sign, as wide as the plus."""
    text = f"{value:{'+' if signed else ''},.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        text = text.replace("-", "").replace("+", "")
    if lang == "pt":
        text = text.translate(str.maketrans(",.", ".,"))
    return text.replace("-", "−")


def value(estimate: Estimate, lang: str) -> str:
    """An estimate's value: shares as percentages with two decimals, anything else with four."""
    if estimate.percent:
        return f"{number(estimate.value * 100, 2, lang)} %"
    return number(estimate.value, 4, lang)


def points(difference: Difference, lang: str) -> str:
    """A difference with its sign: shares in percentage points."""
    scale, decimals = (100, 2) if difference.percent else (1, 4)
    return number(difference.value * scale, decimals, lang, signed=True)


def interval(difference: Difference, lang: str) -> str:
    """``[1.10; 7.31]``; empty where there is none."""
    if difference.low is None or difference.high is None:
        return ""
    scale, decimals = (100, 2) if difference.percent else (1, 4)
    low, high = (number(bound * scale, decimals, lang) for bound in (difference.low, difference.high))
    return f"[{low}; {high}]"


def probability(p: float, lang: str) -> str:
    """A p-value with three decimals, or that it is smaller."""
    return f"< {number(0.001, 3, lang)}" if p < 0.001 else number(p, 3, lang)


def duration(seconds: float) -> str:
    """``1 h 02 min``, ``3 min 20 s`` or ``12 s``."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, left = divmod(minutes, 60)
    return f"{hours} h {left:02d} min" if hours else f"{minutes} min {rest:02d} s"


def memory(size: float, lang: str) -> str:
    """Bytes in GiB or MiB."""
    unit, scale = ("GiB", 2**30) if size >= 2**30 else ("MiB", 2**20)
    return f"{number(size / scale, 2 if unit == 'GiB' else 0, lang)} {unit}"
