"""The options and the question, prepared once for matching against many replies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from functools import lru_cache

from benchctl.answers.folding import fold, lower, without_marks
from benchctl.answers.phrases import any_of
from benchctl.answers.words import NEGATIONS, Token, same_word, sound_start, tokens, weight, word_set

NONE_OF_THEM = re.compile(
    r"\b"
    + any_of(
        """nenhum[a]? (d[aeo]s? |outra )?((anteriores|acima|alternativas?|opco?es|opcao|respostas?|demais|outras|
        mencionad\\w+|apresentad\\w+|restantes|supracitad\\w+|op[ct]oes|hipoteses|afirmativas|afirmacoes|assertivas|proposicoes|
        quatro|tres|cinco|duas|listad\\w+|dadas|oferecid\\w+|elencad\\w+)\\b\\s*)+ /
        nenhum[a]?( d[ae]l[ae]s| delas| d[ae]s (opcoes|alternativas|respostas))?(?= (esta|é|serve|responde|se aplica|
        corresponde|parece) ?) / nenhum[a]? d[aeo]s? \\w+(?=\\W*$) /
        nenhum[a]? d(ess|est)[ae]s( \\w+)? /
        nenhum[a]?( d[ae]l[ae]s)?(?=(\\s+é)?\\W*(?:$|\\n|[.,;:])) / n\\.?d\\.?a\\b\\.? /
        none of (the |these )?(above|options|choices|answers|alternatives)? / (none|neither|ninguna)(?=\\W*$) /
        ningun[oa]? (de )?(las?|los) (anteriores|opciones|respuestas|alternativas)( anteriores)?"""
    )
)
"""'None of the above' in three languages, in folded lower case."""

_OF_THEM = (
    r"corret|certas|verdadeir|est[ao]o?\b|sao\b|elas|eles|as\s|os\s|las\s|los\s|estas|anteriores|acima|citad|mencionad"
)
ALL_OF_THEM = re.compile(
    rf"\btod[ao]s\b\s*(?=[.,;!)]|$|\n|{_OF_THEM})"
    rf"(?:{any_of('as / os / las / los / elas / eles / estas / essas')}\b\s*)?(?:"
    + any_of(
        """alternativas / opcoes / anteriores / acima / opciones / demais / respuestas / respostas / afirmativas /
        afirmacoes / assertivas / citad\\w+ / mencionad\\w+"""
    )
    + r"\b\s*)*|\b"
    + any_of("all of (the )?(above|these|them|options) / all (the )?(options|above|choices)")
)
"""'All of the above' in three languages, in folded lower case."""

_YES = word_set("sim yes si")
_NO = word_set("nao no")
_MAYBE = ("talvez", "maybe", "quizas", "quiza", "tal vez", "unclear", "incerto", "inconclusivo", "indeterminado")
_ITEM_START = re.compile(r"(?<![^\W_])\(?([A-Ja-j])\s?[).:-]+\s+(?=\S)")


@dataclass(frozen=True, slots=True)
class Option:
    """One option. ``words`` are its meaning words; ``negated`` tells whether its own text says no. ``low`` is the text
    folded and in lower case, ``bare`` that without punctuation."""

    label: str
    text: str
    low: str
    bare: str
    words: tuple[str, ...]
    unique: frozenset[str]
    weights: dict[str, float]
    negated: bool
    roman: frozenset[int] | None = None

    def weight(self, said: Set[str]) -> float:
        """Return what those of the option's words weigh that are in ``said``.

        Added up in the option's order: in that of a set, which changes from process to process, the last digit decided
        at a limit."""
        return sum(weight for word, weight in self.weights.items() if word in said)


@dataclass(frozen=True, slots=True)
class Options:
    """All options of a question. ``letters`` maps an upper-case letter to its label where labels are letters."""

    options: tuple[Option, ...]
    letters: dict[str, str]
    polar: dict[str, str] = field(default_factory=dict)  # "yes" | "no" | "maybe" -> label, for such tasks
    none_label: str | None = None
    all_label: str | None = None
    known: frozenset[str] = frozenset()  # every word of every option

    def by_label(self, label: str) -> Option:
        """Return the option with ``label``."""
        return next(o for o in self.options if o.label == label)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in order."""
        return tuple(o.label for o in self.options)

    def says(self, letter: str, body: str) -> bool:
        """Tell whether ``body``, found after ``letter``, is that option's text, more or less."""
        label = self.letters.get(letter)
        return label is not None and repeats(self.by_label(label), lower(body))

    def echoed_list(self, low_text: str) -> tuple[int, int] | None:
        """Return the span of a repeated option list (at least three items, or all, one after the other)."""
        low = lower(low_text)
        run: list[tuple[str, int, int]] = []
        best: tuple[int, int] | None = None
        for item in _ITEM_START.finditer(low_text):
            label = self.letters.get(item[1].upper())
            end = _end_of_copy(self.by_label(label), low, item.end()) if label else None
            joined = run and low_text[run[-1][2] : item.start()].strip(" \n,;.-*") == ""
            if end is None:
                continue
            run = [*run, (label or "", item.start(), end)] if joined else [(label or "", item.start(), end)]
            if len({r[0] for r in run}) >= min(3, len(self.options)):
                best = (run[0][1], end)
        return best


def repeats(option: Option, low: str) -> bool:
    """Tell whether ``low`` holds most of the option's words."""
    said = [t.key for t in tokens(low)]
    if not option.words:
        return option.low.strip(" .") == low.strip(" .")
    matched = option.weight({w for w in option.words if any(same_word(w, s) for s in said)})
    return matched >= 0.6 * sum(option.weights.values())


def _end_of_copy(option: Option, low: str, start: int) -> int | None:
    """Return where the option's text ends if it is copied at ``start`` (spacing and final stop aside)."""
    copy = re.escape(option.low.strip().rstrip("."))
    pattern = re.sub(r"(?:\\\s)+", r"\\s+", copy)
    found = _compiled(pattern).match(low, start)
    if (
        not found
        or re.match(r"[^\S\n]*[.,;]?[^\S\n]*(?:\n|\Z|\(?[a-j]\s?[).:-])", low[found.end() : found.end() + 40]) is None
    ):
        return None
    return found.end()


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def prepare_options(choices: Mapping[str, str]) -> Options:
    """Return ``choices`` ready for matching; remembered for choices seen before."""
    return _prepare(tuple(choices.items()))


@lru_cache(maxsize=2048)
def _prepare(items: tuple[tuple[str, str], ...]) -> Options:
    plains = {label: fold(text).text for label, text in items}
    lows = {label: lower(text) for label, text in plains.items()}
    words = {label: tuple(t.key for t in _option_words(text)) for label, text in plains.items()}
    options = []
    for label, text in items:
        others = {w for other, ws in words.items() if other != label for w in ws}
        unique = frozenset(w for w in words[label] if not _among(w, others))
        weights = {w: weight(w) * (1.0 if w in unique else 0.35) for w in words[label]}
        negated = bool(NEGATIONS & {t.key for t in tokens(lows[label], keep_stop=True)})
        low, roman = lows[label], _roman(plains[label])
        options.append(Option(label, text, low, without_marks(low), words[label], unique, weights, negated, roman))
    letters = {label.strip().upper(): label for label, _ in items if re.fullmatch(r"\s*[A-Za-z]\s*", label)}
    stripped = {label: low.strip(" .") for label, low in lows.items()}
    none_label = next((k for k, v in stripped.items() if NONE_OF_THEM.fullmatch(v)), None)
    all_label = next((k for k, v in stripped.items() if ALL_OF_THEM.match(v) and len(v) < 45), None)
    resolved = _resolve_roman(options)
    every = frozenset(n for o in resolved if o.roman for n in o.roman)
    all_label = all_label or next((o.label for o in resolved if every and o.roman == every), None)
    known = frozenset(w for o in resolved for w in o.words)
    return Options(resolved, letters, _polar(stripped), none_label, all_label, known)


def _among(word: str, others: set[str]) -> bool:
    """Tell whether one of ``others`` is that word; most need no closer look, since they begin otherwise."""
    first = sound_start(word) if word.isalpha() else ""
    return word in others or any(same_word(word, o) for o in others if not first or sound_start(o) == first)


def _option_words(text: str) -> tuple[Token, ...]:
    found = tokens(text)
    return found or tokens(text, keep_stop=True)


def _polar(lows: dict[str, str]) -> dict[str, str]:
    """Map yes, no and maybe to their labels, where every option is one of them."""
    found: dict[str, str] = {}
    for label, text in lows.items():
        kind = "yes" if text in _YES else "no" if text in _NO else "maybe" if text in _MAYBE else None
        if kind is None or kind in found:
            return {}
        found[kind] = label
    return found if {"yes", "no"} <= set(found) else {}


_NUMERALS = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8}
_ROMAN = re.compile(r"(?<![^\W_])(?:VIII|VII|VI|IV|V|III|II|I)(?![^\W_])")
_ROMAN_TALK = re.compile(
    r"\b"
    + any_of(
        """apenas / somente / so / only / solo / solamente / unicamente / e / and / y / todas? / all / both /
        ambas / as / os / a / o / the / las? / los / afirmativas? / afirmacoes / assertivas? / proposicoes /
        itens / item / statements? / est[ao]o? / sao / are / is / corret[ao]s? / verdadeir[ao]s? / correct /
        true / nenhuma / none / neither"""
    )
    + r"\b"
)


def romans(text: str) -> frozenset[int]:
    """Return the Roman numerals (upper case) that ``text`` holds, as numbers."""
    return frozenset(_NUMERALS[m[0]] for m in _ROMAN.finditer(text))


def _roman(text: str) -> frozenset[int] | None:
    """Return the statements an option names, or None when it is no such option; 'todas' gives the empty set here."""
    rest = _ROMAN_TALK.sub(" ", lower(_ROMAN.sub(" ", text)))
    numbers = romans(text)
    if rest.strip(" ,.;/&-"):
        return None
    return numbers if numbers or re.search(r"\b(?:todas|all)\b", lower(text)) else None


def _resolve_roman(options: list[Option]) -> tuple[Option, ...]:
    """Give 'todas' every statement the other options name; drop the sets where fewer than two options have one."""
    every = frozenset(n for o in options if o.roman for n in o.roman)
    sets = sum(o.roman is not None for o in options) >= 2 and every
    resolved = []
    for o in options:
        roman = (o.roman or every) if sets and o.roman is not None else None
        resolved.append(replace(o, roman=roman))
    return tuple(resolved)
