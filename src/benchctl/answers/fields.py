"""Finding answers in a structure: a JSON key, an answer tag, a LaTeX box. Broken ones are read as far as they go."""

from __future__ import annotations

import re
from dataclasses import dataclass

from benchctl.answers.phrases import any_of

_KEY = any_of(
    """(final|correct|selected|chosen|best|predicted)?[ _-]?(answer|choice|option|response)([ _-]?(choice|
        letter|option|final|idx|index|key|label))? / respostas?([ _-]?(final|correta|certa|escolhida))? /
        (alternativa|opcao|opcion|letra)([ _-]?(correta|certa|final|escolhida|correcta|da[ _]resposta))? /
        gabarito / escolha([ _-]?final)? / respuesta([ _-]?(final|correcta))? / correta / correto / correct /
        letter / label / prediction / predicao / selecao / selection / solucao / resultado / result / veredito /
        decisao / decision"""
)
_JSON = re.compile(
    rf"(?:[{{,\n]|[\"'\]}}]\s)\s*(?P<quote>[\"']?)(?P<key>{_KEY})(?P=quote)\s*:\s*"
    r"(?:\"(?P<double>(?:\\.|[^\"\\\n])*)(?:\"|$|\n)|'(?P<single>[^'\n]*)(?:'|$|\n)|(?P<list>\[[^\]\n]{0,200}\]?)"
    r"|(?P<bare>[^\s,}\"'\[{][^,}\n]{0,200}))",
    re.I | re.M,
)
_TAG = any_of(
    """(final[_-]?)?(answer|resposta|respuesta|alternativa|opcao|opcion|choice|option|escolha|gabarito|letra|output|
    solution)([_-]?\\w+)?"""
)
_TAGGED = re.compile(rf"<(?P<tag>{_TAG})\b[^>\n]{{0,40}}>(?P<body>[^<]*)", re.I)
_MOST = 20  # fields looked at, from the end: a loop may hold thousands
_LONGEST = 400  # characters of a box
_BOX = re.compile(r"\\?(?:boxed|fbox)\s*\{")


@dataclass(frozen=True, slots=True)
class Field:
    """One structured answer: the span of its value, where its name begins, and whether it calls itself final."""

    start: int
    end: int
    final: bool
    name_start: int


def find_fields(marked: str) -> list[Field]:
    """Return the structured answers of ``marked`` (folded text with its markup), in order."""
    found: list[Field] = []
    if "boxed" in marked or "fbox" in marked:
        found += _boxes(marked)
    if "<" in marked:
        found += [
            Field(m.start("body"), m.end("body"), "final" in m["tag"].lower(), m.start())
            for m in _TAGGED.finditer(marked)
        ]
    if "{" in marked:
        found += _json(marked)
    return sorted(found, key=lambda f: f.start)[-_MOST:]


def _boxes(marked: str) -> list[Field]:
    boxes = []
    for box in list(_BOX.finditer(marked))[-_MOST:]:
        depth, end = 1, box.end()
        stop = min(len(marked), end + _LONGEST)
        while end < stop and depth and marked[end] != "\n":
            depth += {"{": 1, "}": -1}.get(marked[end], 0)
            end += 1
        boxes.append(Field(box.end(), end - 1 if depth == 0 else end, True, box.start()))
    return boxes


def _json(marked: str) -> list[Field]:
    found = []
    for match in _JSON.finditer(marked, marked.index("{")):
        group = next(g for g in ("double", "single", "list", "bare") if match[g] is not None)
        final = "final" in match["key"].lower()
        found.append(Field(match.start(group), match.end(group), final, match.start("key")))
    return found
