"""The later rules, asked when nothing in the reply announces an answer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from benchctl.answers.claim import CONCLUDED, LETTERED, MENTIONED, Claim
from benchctl.answers.lexicon import BOTH, META, WRONG_AFTER
from benchctl.answers.sentences import asks, babbles, breaks_off, loops
from benchctl.answers.values import Case, Value
from benchctl.answers.words import NEGATIONS, STOP, same_word, tokens, word_set

_PERCENT = re.compile(r"(?<![^\W_])([A-H])\s*[).]*\s*(?:[:=(-]|\s)\s*[^%\n;]{0,40}?(\d{1,3}(?:[.,]\d+)?)\s*%")
_HIGHEST = re.compile(r"\b(?:mais\s+provavel|maior|highest|most\s+likely|largest|mas\s+probable|mayor|mais\s+alta)\b")
_STATES = re.compile(
    r"\b(?:deve|devem|pode|podem|tem|ter|apresenta|esta|estao|foi|foram|precisa|vai|ha|existe\w*|sera|recomend\w+|consult\w+|procur\w+|should|must|can|may|has|have|is|are|was|will|needs|debe|puede|tiene|esta|hay|vamos|é|sao|es|son)\b"
)
_QUALITIES = word_set(
    """provavel correto correta adequado adequada principal melhor indicado indicada final likely most best
        correct common probable adecuado mejor comum frequente clinico clinica"""
)
_BECAUSE = re.compile(r"\b(?:porque|pois|because|since|ya\s+que|por\s+causa|devido|due\s+to|debido)\b")
_DEFINES = re.compile(
    r"\b(?:é|foi|is|was|es|sao|are)\s+(?:uma?|an?|una?|uns|umas)\s+(?:\w+\s+)?(?:doenca|condicao|enfermidade|problema|exame|droga|vacina|sindrome|disease|condition|disorder|enfermedad|tipo|grupo|forma|parte|questao|arte|pratica|tecnica)\b"
)
_LINKS = re.compile(
    r"\b(?:é|e|sao|foi|foram|eram|era|seria|porque|pois|is|are|was|were|because|es|son|fue|produz\w*|chama-se|deve-se|trata-se|ocorre|com|usa-se|consiste)\b"
)


def highest_share(case: Case) -> Value | None:
    """Return the option with the highest percentage, where every option has one and the text takes the highest."""
    shares: dict[str, float] = {}
    first, last = len(case.text), 0
    for found in _PERCENT.finditer(case.text):
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
    if len(left) != 1 or len(case.options.options) < 3:
        return None
    return Value((left[0],), False, "letter", min(c.start for c in rejected), max(c.end for c in rejected))


def called_wrong(claims: list[Claim]) -> Claim | None:
    """Return the only option called wrong, where the question asks for the wrong one."""
    wrong = [c for c in claims if c.negative and c.value.labels]
    return wrong[0] if len({label for c in wrong for label in c.value.labels}) == 1 else None


def last_of(claims: list[Claim], rank: float) -> Claim | None:
    """Return the last affirmed claim of exactly ``rank``."""
    return next((c for c in reversed(claims) if c.rank == rank and not c.negative), None)


def marked_letter(claims: list[Claim]) -> Claim | None:
    """Return the only option that is marked by its letter and not rejected (or the joined ones, if that is all)."""
    marked = [c for c in claims if c.rank == LETTERED and not c.negative]
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
    if said is None or len(labels) != 2 or WRONG_AFTER.match(case.low, said.end()):
        return None
    return Value(labels, False, "text", named[0].start, said.end())


def affirmed_text(case: Case, claims: list[Claim], sentences: list[tuple[int, int]]) -> Claim | None:
    """Return the claim for the option text that completes the question, or that alone is affirmed."""
    named = [c for c in claims if c.rank in (MENTIONED, CONCLUDED) and not c.negative]
    if not named:
        return None
    echoed = {c.value.labels: 0 for c in named}
    for claim in named:
        echoed[claim.value.labels] = max(echoed[claim.value.labels], _question_words(case, claim, sentences))
    best = max(echoed, key=lambda k: echoed[k])
    if len(echoed) > 1 and echoed[best] >= 2 and all(n <= echoed[best] - 2 for k, n in echoed.items() if k != best):
        return replace(next(c for c in reversed(named) if c.value.labels == best), rule="restated")
    refused = {label for c in claims if c.negative for label in c.value.labels}
    labels = {c.value.labels for c in named if not set(c.value.labels) & refused}
    if len(labels) == 1:
        claim = next(c for c in reversed(named) if c.value.labels in labels)
        closes = len(sentences) == 1 and len(case.low[claim.value.end :].split()) < 2
        if breaks_off(case.low) and not closes and (len(sentences) > 1 or not _fully_said(case, claim)):
            return None
        passing = claim.start < sentences[-1][0] or not _fully_said(case, claim)
        if (
            case.question.known
            and passing
            and len(sentences) > 1
            and 2 * _question_words(case, claim, sentences) < min(4, len(case.question.focus))
        ):
            return None  # a fact among facts
        return replace(claim, rule="sole-text")
    return None


def _fully_said(case: Case, claim: Claim) -> bool:
    """Tell whether the option's text stands there nearly whole, rather than in passing."""
    return any(m.start == claim.value.start and m.share > 0.9 for m in case.matches)


def _question_words(case: Case, claim: Claim, sentences: list[tuple[int, int]]) -> int:
    """Return how many of the words that ask are said beside the option's text, in its sentence."""
    start, end = next(((s, e) for s, e in sentences if s <= claim.start < e), (claim.start, claim.end))
    outside = [
        t.key for t in case.words if start <= t.start < end and not claim.value.start <= t.start < claim.value.end
    ]
    return len(shared_words(case.question.focus, outside))


def shared_words(asked: Iterable[str], said: list[str]) -> set[str]:
    """Return the words asked that are said again, in any form."""
    return {
        w for w in set(asked) if len(w) > 2 and any(same_word(w, s) or (len(w) > 5 and s[:5] == w[:5]) for s in said)
    }


def made_up_text(case: Case, sentences: list[tuple[int, int]]) -> tuple[int, int] | None:
    """Return the span of an answer that no option has: a few words, or the question completed with other words."""
    told = [(s, e) for s, e in sentences if not asks(case.low[s:e])]
    if not told or len(told) < len(sentences) or case.matches or babbles(case.low) or loops(case.words):
        return None
    for start, end in reversed(told):
        said = [t for t in case.words if start <= t.start < end and t.key not in META and t.key not in NEGATIONS]
        own = [t for t in said if not any(same_word(t.key, k) for k in case.question.keys)]
        mixed = [t for t in said if not any(same_word(t.key, w) for o in case.options.options for w in o.words)]
        if len(told) == 1 and 0 < len(said) <= 4 and own and mixed and _is_name(case.low[start:end], own[0].key):
            return said[0].start, said[-1].end
        if all(any(same_word(t.key, w) for o in case.options.options for w in o.words) for t in own):
            continue
        if (
            own
            and not breaks_off(case.low)
            and not _DEFINES.search(case.low, start, end)
            and _restates(case, start, end)
        ):
            return start, end
    return None


def _is_name(low: str, key: str) -> bool:
    """Tell whether a short reply names something rather than states something."""
    bare = re.sub(r"^\W*(?:é|e|seria|is|it's|es|it\s+is)\b", "", low)
    words = [t.key for t in tokens(bare, keep_stop=True)]
    return not _STATES.search(re.sub(r"\be\b", " ", bare)) and (len(key) > 1) and any(w not in STOP for w in words)


def _answers_noun(case: Case, start: int, end: int) -> bool:
    """Tell whether the sentence's subject is made of the question's words alone ('O agente é ...')."""
    subject = re.compile(r"\W*(?:o|a|os|as|el|la|los|las|the)\s+([^.;:,\n]{3,60}?)\s+(?:é|sao|is|are|es|son)\s").match(
        case.low, start, end
    )
    if subject is None:
        return False
    nouns = [t.key for t in tokens(subject[1])]
    return (
        bool(nouns)
        and all(n in _QUALITIES or any(same_word(n, k) for k in case.question.keys) for n in nouns)
        and bool(shared_words(case.question.asked, nouns))
    )


def _restates(case: Case, start: int, end: int) -> bool:
    focus = {w for w in case.question.focus if len(w) > 2}
    if _answers_noun(case, start, end) or (case.question.why and _BECAUSE.search(case.low, start, end)):
        return True
    said = [t.key for t in case.words if start <= t.start < end]
    shared = shared_words(focus, said)
    linked = _LINKS.search(case.low, start, end)
    return len(focus) > 1 and linked is not None and len(shared) >= max(min(2, len(focus)), 0.7 * len(focus))
