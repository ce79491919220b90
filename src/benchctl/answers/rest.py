"""The later rules, asked when nothing in the reply announces an answer."""

from __future__ import annotations

import re
from dataclasses import replace

from benchctl.answers.asked import shared_words
from benchctl.answers.claim import CONCLUDED, LETTERED, MENTIONED, Claim
from benchctl.answers.letters import letters_at
from benchctl.answers.lexicon import BOTH, CONTRAST, WRONG_AFTER
from benchctl.answers.mentions import BELONGS, mentions, one_of_list
from benchctl.answers.sentences import breaks_off, split_sentences
from benchctl.answers.units import units_of
from benchctl.answers.values import Case, Value
from benchctl.answers.weighing import NEW_CLAUSE
from benchctl.answers.words import same_word, tokens

_ONE_LEFT = re.compile(
    r"\b(?:rest|sobr|fic)(?:a|ou|am|ando)\s+(?:(?:so|apenas|somente|entao|portanto)\s+)*(?:uma|um|"
    r"1)(?:\s+(?:alternativa|opcao|unica|so|possibilidade|"
    r"possivel|viavel|plausivel|correta))*\s*(?:[.!,;]|$)|\b(?:é|fica|marco|escolho|fico\s+com|vou\s+n[ao])\s+"
    r"[ao]\s+que\s+(?:sobr(?:ou|a)|rest(?:ou|a))\b"
)
_PUT_INSTEAD = re.compile(
    r"[^.?!]{0,30}?[,:;.-]\s*(?:[^.:;]{0,60}?\b)?(?:é|foi|seria|trata-se\s+de|chama-se|sao)\s+(?:(?:o|a|os|as|um|"
    r"uma)\s+)?"
)
_CHOOSES_BOTH = re.compile(
    r"\b(?:marco|marcaria|escolho|fico\s+com|assinalo|indico|faria|daria|usaria)\s+(?:as\s+duas|os\s+dois|ambas|"
    r"ambos)\b|"
    r"\b(?:as\s+duas|os\s+dois|ambas|ambos)\s+(?:(?:opcoes|alternativas|respostas|medidas|"
    r"coisas)\s+)?(?:estao\s+|sao\s+)?(?:cert|corret|servem|valem|juntas|juntos|participam|causam|cabem)"
)
_DESCRIBED = re.compile(r"\s+(?:é|foi|sao|tem|fica|is)\s+(?:um|uma|o\s+nome|a\b|an\b|parte)\b")
_NO_EXCEPTION = re.compile(
    r"\b(?:nao\s+ha\s+(?:\w+\s+)?(?:excecao|incorreta|errada|falsa)|nenhuma\s+(?:delas\s+|das\s+\w+\s+)?(?:esta|"
    r"é|e)\s+(?:in|errad|fals)|todas\s+(?:as\s+\w+\s+)?(?:estao|sao)\s+(?:corret|cert|verdadeir))"
)
_PERCENT = re.compile(r"(?<![^\W_])([A-H])\s*[).]*\s*(?:[:=(-]|\s)\s*[^%\n;]{0,40}?(\d{1,3}(?:[.,]\d+)?)\s*%")
_DECIMAL = re.compile(r"(?<![^\W_])([A-H])\s*[).]*\s*[:=(-]\s*([01]?[.,]\d{1,4}|[01])(?![\w%]|[.,]\d|\s*%)")
_HIGHEST = re.compile(r"\b(?:mais\s+provavel|maior|highest|most\s+likely|largest|mas\s+probable|mayor|mais\s+alta)\b")


_GOES_ON = re.compile(r"\s+[^\W\d_]{2}")
_SPARES = re.compile(
    r"\W*(?:tambem\s+)?(?:nao|not|no)\s+(?:\w+\s+){1,2}(?:a\s+)?(?:contra|excec|evita|incorret|errad|fals|proibid)"
)


def highest_share(case: Case) -> Value | None:
    """Return the option with the highest share, where every option has one and the text takes the highest."""
    shares: dict[str, float] = {}
    first, last = len(case.text), 0
    for found in (_PERCENT if "%" in case.text else _DECIMAL).finditer(case.text):
        label = case.options.letters.get(found[1])
        if label is not None and label not in shares:
            shares[label] = float(found[2].replace(",", "."))
            first, last = min(first, found.start()), max(last, found.end())
    if len(shares) < max(2, len(case.options.options) - 1) or not _HIGHEST.search(case.low):
        return None
    best = max(shares.values())
    winners = [label for label, share in shares.items() if share == best]
    return Value((winners[0],), False, "letter", first, last) if len(winners) == 1 else None


def by_elimination(case: Case, claims: list[Claim]) -> Value | None:
    """Return the one option left when every other is rejected and it is not."""
    rejected = [c for c in claims if c.negative]
    out = {label for c in rejected for label in c.value.labels}
    left = [label for label in case.options.labels if label not in out]
    if len(case.options.options) < 3:
        return None
    if len(left) == 2 and case.options.none_label in left:
        left.remove(case.options.none_label)  # who rejects all but one means that one
    if len(left) == 1:
        return Value((left[0],), False, "letter", min(c.start for c in rejected), max(c.end for c in rejected))
    return _one_left(case) or (_other_than_all(case, rejected) if rejected and not left else None)


def _one_left(case: Case) -> Value | None:
    """Return the one option not named, where the reply says that one is left ('resta apenas uma alternativa')."""
    said = _ONE_LEFT.search(case.low)
    if said is None:
        return None
    before = split_sentences(case.text[: said.start()])
    named = {label for s, e in before for u in units_of(case, s, e) for label in u.value.labels}
    named |= {m.label for s, e in before for m in mentions(case, s, e)}
    left = [label for label in case.options.labels if label not in named]
    return Value((left[0],), False, "letter", *said.span()) if len(left) == 1 else None


def _other_than_all(case: Case, rejected: list[Claim]) -> Value | None:
    """Return an alternative that is not there, where every option is rejected and another text is put in their
    place."""
    last = max(c.end for c in rejected)
    put = _PUT_INSTEAD.match(case.low, last)
    said = tokens(case.text[put.end() :]) if put else ()
    known = {w for o in case.options.options for w in o.words}
    own = [t for t in said if not any(same_word(t.key, w) for w in (*known, *case.question.keys))]
    return Value((), True, "text", put.end(), len(case.text.rstrip())) if put and own else None


def called_wrong(case: Case, claims: list[Claim]) -> Claim | None:
    """Return the only option called wrong, where the question asks for the wrong one."""
    wrong = [c for c in claims if c.negative and c.value.labels and not _SPARES.match(case.low, c.value.end)]
    return wrong[0] if len({label for c in wrong for label in c.value.labels}) == 1 else None


def several_wrong(claims: list[Claim]) -> Claim | None:
    """Return the claim that calls several options wrong at once ('B e C não são fatores de risco')."""
    wrong = [c for c in claims if c.negative and c.value.labels]
    joined = [c for c in wrong if len(c.value.labels) > 1]
    named = {label for c in wrong for label in c.value.labels}
    return joined[0] if len(joined) == 1 and len(named) == len(joined[0].value.labels) else None


def no_exception(case: Case) -> Value | None:
    """Return an alternative that is not there, where the reply says that none of them is the wrong one."""
    said = _NO_EXCEPTION.search(case.low)
    return Value((), True, "none", *said.span()) if said else None


def spared(case: Case, sentences: list[tuple[int, int]]) -> Value | None:
    """Return the only option not named by 'A, B e C são ...', where the question asks for the exception."""
    for start, end in sentences:
        texts = [m for m in case.matches if start <= m.start < end]
        left = [label for label in case.options.labels if label not in {m.label for m in texts}]
        if len(left) == 1 and len(texts) > 1 and not WRONG_AFTER.match(case.low, texts[-1].end, end):
            return Value((left[0],), False, "text", texts[0].start, texts[-1].end)
        found = letters_at(case.text, case.low, start, end)
        if found is None or WRONG_AFTER.match(case.low, found.end, end) or not _GOES_ON.match(case.low, found.end, end):
            continue
        left = [label for letter, label in case.options.letters.items() if letter not in found.names]
        if len(left) == 1 and len(found.names) == len(case.options.letters) - 1:
            return Value((left[0],), False, "letter", start, end)
    return None


def last_of(claims: list[Claim], rank: float) -> Claim | None:
    """Return the last affirmed claim of exactly ``rank``."""
    return next((c for c in reversed(claims) if c.rank == rank and not c.negative), None)


def marked_letter(claims: list[Claim], every: int) -> Claim | None:
    """Return the only option that is marked by its letter and not rejected (or the joined ones, if that is all)."""
    marked = [c for c in claims if c.rank == LETTERED and not c.negative and len(c.value.labels) < max(every, 3)]
    named = {(c.value.labels, c.value.name) for c in marked}
    if not marked or (len(named) > 1 and all(c.value.beyond for c in marked)):
        return None
    refused = {label for c in claims if c.negative for label in c.value.labels}
    standing = [c for c in marked if not set(c.value.labels) & refused or c.value.beyond]
    if len(named) > 1:
        left = {c.value.labels for c in standing}
        return standing[-1] if len(left) == 1 and len(standing[-1].value.labels) == 1 else None
    return standing[-1] if standing else None


def both_texts(case: Case, claims: list[Claim]) -> Value | None:
    """Return the two options named, where the reply says that it means both."""
    named = [c for c in claims if c.rank in (MENTIONED, LETTERED) and not c.negative]
    labels = tuple(dict.fromkeys(label for c in named for label in c.value.labels))
    said = BOTH.search(case.low, named[0].start) if named else None
    if said is None:
        return _meant_both(case)
    if len(labels) != 2 or WRONG_AFTER.match(case.low, said.end()):
        return None
    return Value(labels, False, "text", named[0].start, said.end())


def _meant_both(case: Case) -> Value | None:
    """Return the two options said, if only by a word of theirs, where the reply goes on to choose both."""
    said = _CHOOSES_BOTH.search(case.low)
    found = [m for m in mentions(case, 0, said.start()) if m.stance > 0] if said and not case.options.polar else []
    labels = tuple(dict.fromkeys(m.label for m in found))
    return Value(labels, False, "text", found[0].start, len(case.low)) if len(labels) == 2 else None


def affirmed_text(case: Case, claims: list[Claim], sentences: list[tuple[int, int]]) -> Claim | None:
    """Return the claim for the option text that completes the question, or that alone is affirmed."""
    named = [c for c in claims if c.rank in (MENTIONED, CONCLUDED) and not c.negative]
    if not named or any(BELONGS.match(case.low, c.value.end) for c in named):
        return None  # 'a trissomia do 18 é a de Edwards'
    if len({c.value.labels for c in named}) > 2 and _DESCRIBED.match(case.low, named[-1].value.end):
        named = [c for c in named if c.value.labels != named[-1].value.labels]  # the last of a list, described
    echoed = {c.value.labels: 0 for c in named}
    for claim in named:
        echoed[claim.value.labels] = max(echoed[claim.value.labels], _question_words(case, claim, sentences))
    best = max(echoed, key=lambda k: echoed[k])
    if len(echoed) > 1 and echoed[best] >= 2 and all(n <= echoed[best] - 2 for k, n in echoed.items() if k != best):
        last = next(c for c in reversed(named) if c.value.labels == best)
        return None if _turned_down(case, last.value, sentences) else replace(last, rule="restated")
    refused = {label for c in claims if c.negative for label in c.value.labels}
    labels = {c.value.labels for c in named if not set(c.value.labels) & refused}
    if len(labels) == 2 and max(echoed.values()) > min(echoed.values()):
        contrast = CONTRAST.search(case.low, named[0].value.start, named[-1].value.end)
        if contrast and echoed[named[0].value.labels] == max(echoed.values()):
            return replace(named[0], rule="restated")
    if len(labels) != 1 or _of_several(case, named):
        return None
    claim = next(c for c in reversed(named) if c.value.labels in labels)
    return replace(claim, rule="sole-text") if _stands_alone(case, claim, refused, sentences) else None


def _stands_alone(case: Case, claim: Claim, refused: set[str], sentences: list[tuple[int, int]]) -> bool:
    """Tell whether the only text affirmed answers: said to an end, no other one spoken for, no mere fact."""
    if one_of_list(case, claim.value.start, claim.value.end):
        return False
    closes = len(sentences) == 1 and len(case.low[claim.value.end :].split()) < 2
    closes = closes and not NEW_CLAUSE.search(case.low, 0, claim.value.start)
    if breaks_off(case.low) and not closes and (len(sentences) > 1 or not _fully_said(case, claim)):
        return False
    start, end = next(((s, e) for s, e in sentences if s <= claim.start < e), (claim.start, claim.end))
    settled = (*claim.value.labels, *refused)
    later = [m for s, e in sentences if s > start for m in mentions(case, s, e)]
    if any(m.leading and m.label not in settled for m in later):
        return False  # a later sentence leads up to another
    found = mentions(case, start, end)
    led = any(m.leading and m.label in claim.value.labels for m in found)
    if not led and any(m.stance > 0 and m.label not in settled for m in found):
        return False  # another option is spoken for in the same sentence
    told_of = not led and start > sentences[0][0] and _told_of(case, claim.value, start, end)
    passing = told_of or not _fully_said(case, claim)
    asked = 2 * _question_words(case, claim, sentences) >= min(4, len(case.question.focus))
    return asked or not (case.question.known and passing and len(sentences) > 1)


def _of_several(case: Case, named: list[Claim]) -> bool:
    """Tell whether the reply says that it means several, or names its option behind a contrast only."""
    contrast = CONTRAST.search(case.low)
    return BOTH.search(case.low) is not None or (contrast is not None and contrast.end() <= named[0].value.start)


def _turned_down(case: Case, value: Value, sentences: list[tuple[int, int]]) -> bool:
    """Tell whether its sentence goes on to speak against the option ('X is used in migraine, not in attacks')."""
    start, end = next(((s, e) for s, e in sentences if s <= value.start < e), (value.start, value.end))
    return any(m.stance < 0 and m.label in value.labels for m in mentions(case, start, end))


def _told_of(case: Case, value: Value, start: int, end: int) -> bool:
    """Tell whether the option is what the sentence speaks of ('O deltoide assume a partir daí')."""
    before, after = case.low[start : value.start], case.low[value.end : end]
    return re.fullmatch(r"\W*(?:(?:o|a|os|as|the|el|la|los|las)\s+)", before) is not None and len(after.split()) > 1


def _fully_said(case: Case, claim: Claim) -> bool:
    """Tell whether the option's text stands there nearly whole, rather than in passing."""
    return any(m.start == claim.value.start and m.share > 0.9 for m in case.matches)


def _question_words(case: Case, claim: Claim, sentences: list[tuple[int, int]]) -> int:
    """Return how many of the words that ask are said beside the option's text, in its sentence."""
    start, end = next(((s, e) for s, e in sentences if s <= claim.start < e), (claim.start, claim.end))
    for contrast in CONTRAST.finditer(case.low, start, end):
        start, end = (contrast.end(), end) if contrast.end() <= claim.value.start else (start, contrast.start())
    outside = [t.key for t in case.between(start, end) if not claim.value.start <= t.start < claim.value.end]
    return len(shared_words(case.question.focus, outside))
