"""A value is what an answer can consist of: letters, an ordinal, a number, an option's text, none or all of them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from benchctl.answers.folding import Folded, fold
from benchctl.answers.letters import Letters, letters_at
from benchctl.answers.matching import TextMatch, abbreviated, end_of_copy, exactly, holder
from benchctl.answers.options import ALL_OF_THEM, NONE_OF_THEM, Options
from benchctl.answers.places import Places, number_at, ordinals_at
from benchctl.answers.question import Question
from benchctl.answers.reading import CHOICE, INVENTED, MULTIPLE, Reading
from benchctl.answers.words import STOP, Token, same_word

_LONGEST = 600  # characters that an option's text may have when it stands alone
_LEAD_IN = re.compile(r"[\s\"'([]*(?:(?:a|o|que|de|the|com|letra|alternativa)\s+)*")
_BUT_NOT_ALL = re.compile(
    r"\s*(?:[^.;]{0,60}\b(?:exceto|menos|salvo|except|but)\b|[^.;]{0,40}\b(?:errad|fals|incorret|incorrect|wrong))"
)
_LIST_JOIN = re.compile(r"\W*(?:,|;|\b(?:e|ou|and|or|y|o)\b)\s*(?=[(\"']?[a-h]\s?[).:-])")
_ARTICLE = re.compile(r"^(?:a|o|as|os|the|la|el)\s+(?=\S{2})")
_LAST_ASIDE = re.compile(r"(?<=\w)\s*\([^()]{2,60}\)\W*$")
_LATE_LETTER = re.compile(r"\W*(?:o\s+)?([k-z])\W*$")
_ONE_THAT = re.compile(
    r"\W*(?:(?:a|o|the|la|el|alternativa|opcao|opcion|letra|resposta|option|one|frase)\s+){1,2}(?:(?:que|which|that)\s+"
    r"(?:(?:se\s+)?(?:fala|menciona|diz|cita|traz|tem|contem|trata|refere|afirma|mentions|says|has|habla|dice)\s+)"
    r"(?:d[aeo]s?\s+|sobre\s+(?:[ao]s?\s+)?|em\s+|[ao]s?\s+|que\s+|the\s+|del?\s+)?|(?:d[aeo]s?|com|sobre|of|"
    r"about|del?)\s+)"
)
_PAUSE = re.compile(r"[.,;:(\n]|\s(?:que|porque|pois|quando|em|who|because|since)\s")
_ELLIPSIS = re.compile(r"\s+(?:e|ou|and|or|y|o)\s+")
_TEXT_JOIN = re.compile(
    r"[^\w\n]*(?:e|ou|and|or|y|o|u|e/ou|quanto|como|&|\+|associad[ao]s?\W+(?:a|ao|com)|junt[ao]s?\W+com|mais|"
    r"alem\W+d[eao]|combinad[ao]s?\W+com)\W+"
    r"(?:(?:a|o|as|os|the|la|el|com|porque|seja|ate|talvez|n[ao]s?|em|d[aeo]s?|pel[ao])\W+)*|\s*[,/]\s*"
)


@dataclass(frozen=True, slots=True)
class Value:
    """What a stretch of text names. ``labels`` are the options, in order; ``beyond`` means one that is not there."""

    labels: tuple[str, ...]
    beyond: bool
    kind: str  # letter, ordinal, number, text, none, all
    start: int
    end: int
    dressed: bool = False
    name: str = ""  # the letters as written, where it is letters


@dataclass(frozen=True, slots=True)
class Case:
    """One reply under reading: its text in scope (``text`` with case, ``low`` without), and what to look for in it."""

    folded: Folded
    text: str
    low: str
    options: Options
    question: Question
    words: Sequence[Token]
    matches: Sequence[TextMatch]

    def between(self, start: int, end: int) -> Sequence[Token]:
        """The words that begin from ``start`` on and before ``end``, found without a look at all the others."""
        begins = attrgetter("start")
        return self.words[bisect_left(self.words, start, key=begins) : bisect_left(self.words, end, key=begins)]

    def named(self, start: int, end: int) -> Iterator[TextMatch]:
        """The options' texts that lie wholly from ``start`` to ``end``, each looked for as it is wanted."""
        for place in range(bisect_left(self.matches, start, key=attrgetter("start")), len(self.matches)):
            match = self.matches[place]
            if match.start >= end:
                return
            if match.end <= end:
                yield match

    def named_before(self, end: int) -> TextMatch | None:
        """The last of the options' texts that end there or earlier."""
        places = range(bisect_left(self.matches, end, key=attrgetter("start")) - 1, -1, -1)
        return next((self.matches[place] for place in places if self.matches[place].end <= end), None)


def read_as(case: Case, value: Value, rule: str, start: int, end: int) -> Reading:
    """Return the reading of ``value``: one label is a choice, several are ``multiple``, none is ``invented``."""
    outcome = INVENTED if value.beyond or not value.labels else MULTIPLE if len(value.labels) > 1 else CHOICE
    return outcome_of(case, outcome, rule, start, end, value.labels[0] if outcome == CHOICE else None)


def outcome_of(case: Case, outcome: str, rule: str, start: int = 0, end: int = 0, label: str | None = None) -> Reading:
    """Return a reading whose evidence is the span of the raw text behind folded positions ``start`` to ``end``."""
    first, last = case.folded.span(start, end)
    return Reading(outcome, label, rule, case.folded.raw[first:last], first, last)


def value_at(case: Case, start: int, end: int) -> Value | None:
    """Return the value that begins at ``start`` (articles and nouns such as 'alternativa' aside), or None."""
    if case.options.polar:
        from benchctl.answers.polar import polar_value

        return (
            (letter_value(case, start, end) if case.options.letters else None)
            or polar_value(case, start, end)
            or place_or_letter(case, start, end)
        )
    if any(o.roman is not None for o in case.options.options):
        from benchctl.answers.statements import statements_at

        stated = statements_at(case, start, end)
        if stated:
            return stated
    return (
        exact_text(case, start, end)
        or none_or_all(case, start, end)
        or letter_value(case, start, end)
        or place_value(case, start, end)
        or text_value(case, start, end)
    )


def place_or_letter(case: Case, start: int, end: int) -> Value | None:
    """Return a letter or an ordinal in a task that has none: it is an alternative that is not there."""
    return letter_value(case, start, end) or place_value(case, start, end)


def letter_value(case: Case, start: int, end: int, dressed: bool = False) -> Value | None:
    """Return the letter, or the letters joined by 'e', 'ou' or commas, that begin at ``start``."""
    found = letters_at(case.text, case.low, start, end, dressed)
    if found is None:
        return _name_letter(case, start, end)
    names, stop = list(found.names), found.end
    while more := _after_copy(case, names[-1], stop, end):
        names.extend(more.names)
        stop = more.end
    return named_by(case, replace(found, names=tuple(dict.fromkeys(names)), end=stop))


def _after_copy(case: Case, name: str, start: int, end: int) -> Letters | None:
    """Return the letters joined behind a letter and a copy of its text ('A. Osso ou B. Pele')."""
    label = case.options.letters.get(name)
    copied = end_of_copy(case.options.by_label(label), case.low, start, end) if label else None
    joined = _LIST_JOIN.match(case.low, copied, end) if copied else None
    return letters_at(case.text, case.low, joined.end(), end) if joined else None


def _name_letter(case: Case, start: int, end: int) -> Value | None:
    """Return the option that a lone letter beyond any list names ('O' for 'Grupo O')."""
    found = _LATE_LETTER.match(case.low, start, end)
    if not found:
        return None
    named = [o.label for o in case.options.options if any(w.endswith(f"+{found[1]}") for w in o.words)]
    return Value((named[0],), False, "text", found.start(1), found.end(1)) if len(named) == 1 else None


def named_by(case: Case, found: Letters) -> Value | None:
    """Return the options that ``found`` letters name; a Roman numeral is no letter."""
    letters = case.options.letters
    labels = tuple(dict.fromkeys(letters[n] for n in found.names if n in letters))
    beyond = any(n not in letters for n in found.names)
    statements = any(o.roman is not None for o in case.options.options)
    if (
        beyond
        and not labels
        and (
            found.names[0] in "IVX"
            or (statements and found.names[0] == "F")
            or (case.options.polar and _says_polar(case, found.end))
        )
    ):
        return None
    if len(labels) > 1:
        combined = combination(case.options, frozenset(found.names))
        labels = (combined,) if combined else labels
    return Value(labels, beyond and not labels, "letter", found.start, found.end, found.dressed, "".join(found.names))


def _says_polar(case: Case, end: int) -> bool:
    """Tell whether yes, no or maybe follows the letter ('A) Sim'): then the word is the answer."""
    return (
        re.match(
            r"\s*[).:-]+\s*(?:sim|nao|talvez|yes|no|maybe|si|quizas?)\s*(?:[.,;:!)\n]|$)", case.low[end : end + 20]
        )
        is not None
    )


def combination(options: Options, names: frozenset[str]) -> str | None:
    """Return the option that stands for several others ('A e B estão corretas', 'todas'), if there is one."""
    for option in options.options:
        named = re.findall(r"(?<![^\W_])[A-E](?![^\W_])", fold(option.text).text)
        if len(named) > 1 and len(option.text) < 40 and frozenset(named) == names:
            return option.label
    others = {n for n, label in options.letters.items() if label != options.all_label}
    return options.all_label if options.all_label and names >= others else None


def place_value(case: Case, start: int, end: int) -> Value | None:
    """Return the options at the ordinals or numbers that begin at ``start``; an ordinal is always a position."""
    found = ordinals_at(case.low, start, end)
    if found:
        return _nth(case, found)
    found = number_at(case.low, start, end)
    if found is None or any(exactly(case.options, str(n)) for n in found.places):
        return None
    if len(found.places) > 1 and any(not 0 < n <= len(case.options.options) for n in found.places):
        return None  # a ratio, a date
    return _nth(case, found)


def _nth(case: Case, found: Places) -> Value | None:
    labels, named = case.options.labels, []
    for place in found.places:
        index = place - 1 if place > 0 else len(labels) + place if place < 0 else len(labels) // 2
        if str(place) in labels:
            named.append(str(place))
        elif place == 0 and len(labels) % 2 == 0:
            return None  # four options have no middle
        elif 0 <= index < len(labels) and not case.options.polar:
            named.append(labels[index])
    inside = len(named) == len(found.places)
    return Value(tuple(named) if inside else (), not inside, found.kind, found.start, found.end, True)


def none_or_all(case: Case, start: int, end: int) -> Value | None:
    """Return 'none of the above' or 'all of the above', real or invented, if it begins at ``start``."""
    low = case.low
    lead = _LEAD_IN.match(low, start, end)
    begin = lead.end() if lead else start
    found = NONE_OF_THEM.match(low, begin, end)
    if found:
        label = case.options.none_label
        return Value((label,) if label else (), label is None, "none", begin, found.end())
    found = ALL_OF_THEM.match(low, begin, end)
    if found and not _BUT_NOT_ALL.match(low, found.end(), end):
        label = case.options.all_label
        labels = (label,) if label else case.options.labels
        return Value(labels, False, "all", begin, found.end())
    return None


def exact_text(case: Case, start: int, end: int) -> Value | None:
    """Return the option whose text the whole stretch is, word for word."""
    if end - start > _LONGEST:
        return None
    stretch = case.low[start:end]
    stretch = _LAST_ASIDE.sub("", stretch)
    bare = _ARTICLE.sub("", stretch.strip(" \n\"'!()[]*:;."))
    exact = exactly(case.options, bare)
    if (
        not exact and len(bare) < 40 and not re.search(r"\b(?:e|ou|nem|nao)\b", bare)
    ):  # 'Na fase M', 'o fator IX': the question's noun and the option
        words, whole = bare.split(), bare
        while len(words) > 1 and (words[0] in STOP or any(same_word(words[0], k) for k in case.question.keys)):
            words = words[1:]
        exact = exactly(case.options, " ".join(words))
        if len(exact) == 1 and (len(words) < len(whole.split()) or words[-1].upper() not in case.options.letters):
            begin = start + stretch.find(whole)
            return Value((exact[0].label,), False, "text", begin, begin + len(whole))
        return None
    if len(exact) != 1 or (len(bare) == 1 and bare.upper() in case.options.letters):
        return None
    begin = start + stretch.find(bare)
    return Value((exact[0].label,), False, "text", begin, begin + len(bare))


def text_value(case: Case, start: int, end: int) -> Value | None:
    """Return the option text, or the texts joined by 'e' or 'ou', that begin near ``start``.

    Where no text is there in full, a part of one will do, if the whole stretch belongs to that option alone.
    """
    inside = case.named(start, end)
    first = next(inside, None)
    if first is None or sum(t.end <= first.start for t in case.between(start, first.start)) > 2:
        return part_of_one(case, start, end)
    run = [first]
    for match in inside:
        if not _joined(case, run[-1].end, match.start):
            break
        run.append(match)
    if len(run) == 2 and case.low[run[0].end : run[1].start].strip() == ",":
        run = run[:1]  # an apposition, or the first of a contrast
    labels = tuple(dict.fromkeys(m.label for m in run))
    elided = _elided(case, run[0], end) if len(run) == 1 else None
    stop = run[-1].end
    if elided and elided[0] not in labels:
        labels, stop = (*labels, elided[0]), elided[1]
    if len(labels) > 1:
        names = frozenset(k for k, v in case.options.letters.items() if v in labels)
        labels = (combined,) if (combined := combination(case.options, names)) else labels
    return Value(labels, False, "text", run[0].start, stop)


def _joined(case: Case, start: int, end: int) -> bool:
    """Tell whether only 'e', 'ou' or the like stands between, and words of the question ('parede ... e parede ...')."""
    if _TEXT_JOIN.fullmatch(case.low, start, end):
        return True
    between = case.between(start, end)
    if len(between) != 1 or not any(same_word(between[0].key, k) for k in case.question.keys):
        return False
    return _TEXT_JOIN.fullmatch(case.low, start, between[0].start) is not None


def _elided(case: Case, match: TextMatch, end: int) -> tuple[str, int] | None:
    """Return (label, end) of the option whose own word alone follows 'e' or 'ou' ('metabólica e respiratória')."""
    joined = _ELLIPSIS.match(case.low, match.end, end)
    following = next(iter(case.between(match.end, len(case.low))), None) if joined else None
    if joined is None or following is None or following.start != joined.end():
        return None
    said = case.options.by_label(match.label).words
    owners = [
        o.label
        for o in case.options.options
        if any(same_word(w, following.key) for w in o.words)
        and all(same_word(w, following.key) or any(same_word(w, s) for s in said) or w in o.unique for w in o.words)
    ]
    return (owners[0], following.end) if len(owners) == 1 else None


def _first_name(case: Case, said: list[Token], end: int) -> list[Token]:
    """Return the words up to the first pause, without the title before a name ('o marechal Deodoro, em 1889')."""
    pause = _PAUSE.search(case.low, said[0].start, end)
    said = [t for t in said if t.end <= pause.start()] if pause else said
    titled = len(said) == 2 and case.text[said[0].start].islower() and case.text[said[1].start].isupper()
    return said[1:] if titled else said


def part_of_one(case: Case, start: int, end: int) -> Value | None:
    """Return the option that holds every meaning word of the stretch, one of them its own."""
    if end - start > 60 and len(case.low[start:end].split()) > 4 * max(1, len(case.between(start, end))) + 4:
        return None  # hardly a word that means anything
    led = _ONE_THAT.match(case.low, start, end)
    start = led.end() if led else start
    said = list(case.between(start, end))
    if said and said[-1].end > end:
        said.pop()
    label = holder(case.options, said)
    if label is None and said:
        said = _first_name(case, said, end)
        label = holder(case.options, said)
    if label is None and 1 < len(said) < 16:
        own = [t for t in said if not any(same_word(t.key, k) for k in case.question.keys)]
        label, said = (holder(case.options, own), own) if own else (None, said)
    if label is None and len(said) == 1 and case.text[said[0].start : said[0].end].isupper():
        label = abbreviated(case.options, said[0].key)
    return Value((label,), False, "text", said[0].start, said[-1].end) if label else None
