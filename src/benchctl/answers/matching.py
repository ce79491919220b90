"""Finding an option's text in a reply: whole or nearly so, in any order, with small slips, and only when unique."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchctl.answers.compounds import compound_hits
from benchctl.answers.folding import Folded, without_marks
from benchctl.answers.options import Option, Options
from benchctl.answers.synonyms import has_synonyms, long_forms, same_verb, synonyms
from benchctl.answers.words import NEGATIONS, Token, derived, same_sound, same_word, sound_start, word_set

_ENOUGH = 0.6
_TOUCHING = re.compile(r"\s*-?\s*(?:(?:d[aeo]s?|of|n[ao]s?|em|in|com|del|por|uma?|o|a|os|as|the|an?|una?|el|la)\s+)*")
_LEADING = word_set(
    """diagnostico suspeita caso quadro hipotese presenca infeccao uso lesao resposta alternativa opcao marco
        escolho seria diagnosis case suspected answer option choose respuesta opcion sospecha sugere indica
        portanto logo apenas somente only entao causa agente exame droga farmaco medicamento medida tratamento
        vacina so"""
)
_RANGE = re.compile(r"\s?-\s?\d")
_LISTED = re.compile(r"\s*,\s*[a-z](?![^\W_])")
_WORD = re.compile(r"\w+")
_LISTED_BEFORE = re.compile(r"\w\s*,\s*\Z")
_LETTERS_CLOSE = re.compile(r"\s?[).:-]+\s*")
_SHORTENING = ("-", ".")
_COPULA = re.compile(r"\b(?:é|sao|is|are|es|son)\b")
_PAUSE = re.compile(r"[,;:()]")
_GAP = 4  # meaning words that may stand between two words of one option


@dataclass(frozen=True, slots=True)
class TextMatch:
    """An option's text found in the reply. ``share`` is how much of the option's meaning was found, 0 to 1."""

    label: str
    start: int
    end: int
    share: float
    said: float
    spelt: int = 0  # how many of the option's words stand there accent by accent


def exactly(options: Options, low: str) -> list[Option]:
    """Return the options whose text folded lower-case ``low`` is, punctuation and spacing aside; of several ('< 10' and
    '≥ 10') those that it is sign for sign."""
    said = without_marks(low)
    found = [o for o in options.options if said and o.bare == said]
    return found if len(found) < 2 else [o for o in found if o.low.strip(" .") == low.strip(" .")] or found


def end_of_copy(option: Option, low: str, start: int, end: int) -> int | None:
    """Return where the option's text ends, if it is copied at ``start`` behind a letter's bracket or point."""
    opened = _LETTERS_CLOSE.match(low, start, end)
    copy = option.low.strip(" .").split() if opened else []
    if not copy or any(word not in low[start:end] for word in copy):  # an expression of its own takes long to build
        return None
    found = re.compile(_LETTERS_CLOSE.pattern + r"\s+".join(map(re.escape, copy))).match(low, start, end)
    return found.end() if found else None


def find_matches(
    options: Options, words: Sequence[Token], sentence_ends: Sequence[int], low: str, folded: Folded
) -> list[TextMatch]:
    """Return where the reply names an option's text, in order; where two options fit equally well, neither."""
    found: list[TextMatch] = []
    hits = _hits(options, words, low, folded.text)
    for place, option in enumerate(options.options):
        for cluster in _clusters(hits[place], words, sentence_ends):
            match = _judge(option, cluster, words, low, options.known)
            if match:
                found.append(replace(match, spelt=_spelt_alike(option, folded, match.start, match.end)))
    return _best_of_overlapping(found)


def _spelt_alike(option: Option, folded: Folded, start: int, end: int) -> int:
    """Return how many of the option's words stand in the raw reply as the option spells them, accents included."""
    first, last = folded.span(start, end)
    return len(set(_WORD.findall(option.text.lower())) & set(_WORD.findall(folded.raw[first:last].lower())))


def _hits(options: Options, words: Sequence[Token], low: str, text: str) -> list[list[tuple[int, str]]]:
    """Return, for each option, (index of the reply's word, the option's word it is)."""
    readable = [(place, o) for place, o in enumerate(options.options) if o.roman is None]  # sets are read elsewhere
    starts = {sound_start(w) for w in options.known}
    meant: dict[str, list[tuple[int, str]]] = {}
    for key in {w.key for w in words}:
        if sound_start(key) in starts or has_synonyms(key.partition("+")[0]):
            pairs = [(place, meant_word(option, key, options.known)) for place, option in readable]
            meant[key] = [(place, word) for place, word in pairs if word is not None] or [
                (place, word) for place, option in readable for word in spelled_out(option, key)
            ]
    for token in words:
        if 3 <= len(token.key) <= 6 and not meant.get(token.key) and _initials(text[token.start : token.end]):
            named = [(p, o) for p, o in readable if "".join(w[0] for w in o.words) == token.key]
            meant[token.key] = [(p, w) for p, o in named for w in o.words] if len(named) == 1 else []
    hits: list[list[tuple[int, str]]] = [[] for _ in options.options]
    compounds = compound_hits(words, low, text, readable)
    for index, token in enumerate(words):
        for place, word in (
            *compounds.get(index, ()),
            *(meant.get(token.key) or _shortened(token, low, readable)),
        ):
            hits[place].append((index, word))
    return hits


def _initials(word: str) -> bool:
    """Tell whether a word is written as initials are: 'VNI', 'TTPa'."""
    return word[0].isupper() and sum(c.isupper() for c in word) > len(word) // 2


def _shortened(token: Token, low: str, readable: list[tuple[int, Option]]) -> list[tuple[int, str]]:
    """Return the words that a shortened form stands for: 'angio' in 'angio-TC'."""
    if (
        low[token.end : token.end + 1] not in _SHORTENING
        or len(token.key) < 5
        or not low[token.end + 1 : token.end + 2].isalpha()
    ):
        return []
    return [(place, w) for place, option in readable for w in option.words if w.startswith(token.key)]


def meant_word(option: Option, key: str, known: frozenset[str]) -> str | None:
    """Return the option's word that ``key`` is. A word that some option (``known``) spells so is no slip of another."""
    if key in option.words:
        return key
    same = same_sound if key in known else same_word
    for word in option.words:
        if same(word, key):
            return word
    if key in known:
        return None
    base, plus, _ = key.partition("+")
    if plus and not any(k.startswith(f"{base}+") for k in known):  # 'penicilina G' is a penicillin
        kind = next((word for word in option.words if word == base or synonyms(word, base)), None)
        if kind:
            return kind
    if key.endswith("mente") and len(key) > 9:  # 'exclusivamente'
        adverb = next((word for word in option.words if same_word(word, key[:-5])), None)
        if adverb:
            return adverb
    return next((word for word in option.words if synonyms(word, key) or same_verb(word, key)), None)


def spelled_out(option: Option, short: str) -> tuple[str, ...]:
    """Return the words of the option that the usual short form ``short`` stands for ('AAS'), or none."""
    for long in long_forms(short):
        found = [next((w for w in option.words if same_word(w, part)), "") for part in long]
        if all(found):
            return tuple(dict.fromkeys(found))
    return ()


def _clusters(
    hits: list[tuple[int, str]], words: Sequence[Token], sentence_ends: Sequence[int]
) -> list[list[tuple[int, str]]]:
    """Group hits that stand close together within one sentence; a word said again begins a new group."""
    clusters: list[list[tuple[int, str]]] = []
    border = 0
    for index, word in hits:
        position = words[index].start
        crossed = False
        while border < len(sentence_ends) and sentence_ends[border] <= position:
            border += 1
            crossed = True
        again = bool(clusters) and any(word == w for _, w in clusters[-1])
        if not clusters or crossed or again or index - clusters[-1][-1][0] > _GAP:
            clusters.append([])
        clusters[-1].append((index, word))
    return clusters


def _judge(
    option: Option, cluster: list[tuple[int, str]], words: Sequence[Token], low: str, known: frozenset[str]
) -> TextMatch | None:
    if not _all_but_one_between(option, cluster, words, low, known):
        cluster = _trimmed(option, cluster, words, low)
    said = {w for _, w in cluster}
    total = sum(option.weights.values())
    weight = option.weight(said)
    share = weight / total if total else 0.0
    telling = said & option.unique
    if not (telling or share == 1.0) or (
        len(cluster) == 1 < len(option.words)
        and max(map(len, telling), default=0) < 3
        and (share < 0.7 or _LISTED_BEFORE.search(low, 0, words[cluster[0][0]].start))
    ):
        return None
    if share < _ENOUGH and not (share >= 0.5 and _stands_alone(option, cluster, words, low)):
        return None
    unit = (
        option.words[-1] not in said and len(option.words) > 1 and option.words[0][0].isdigit()
    )  # '3-5 min' is not '3 mg'
    if (
        share < 0.8
        and (unit or option.words[-1] in option.unique - said)
        and _replaced(option, cluster[-1][0], words, low)
    ):
        return None
    if share < 1 and len(option.words) > 1 and _mixed(option, cluster, words, low, known):
        return None
    if unit and share < 1 and _RANGE.match(low, words[cluster[-1][0]].end):
        return None
    numbers = {w for w in option.words if w[0].isdigit()}
    if numbers - said:
        return None  # another dose is another option
    start, end = words[cluster[0][0]].start, words[cluster[-1][0]].end
    if "+" in cluster[-1][1] and _LISTED.match(low, end):
        return None  # 'as vitaminas A, D, E e K' names a kind, not one of them
    if share < 0.8 and _COPULA.search(low, start, end) and not _COPULA.search(option.bare):
        return None  # 'o líquor normal é límpido' is not 'líquor límpido com proteína normal'
    if option.negated and not NEGATIONS & set(re.findall(r"\w+", low[max(0, start - 25) : end])):
        return None
    return TextMatch(option.label, start, end, share, weight)


def _all_but_one_between(
    option: Option, cluster: list[tuple[int, str]], words: Sequence[Token], low: str, known: frozenset[str]
) -> bool:
    """Tell whether the option stands there in full, one word of no option in between ('insuficiência da valva
    mitral')."""
    first, last = cluster[0][0], cluster[-1][0]
    between = {words[i].key for i in range(first, last + 1)} - {words[i].key for i, _ in cluster}
    whole = {w for _, w in cluster} == set(option.words) and len(between) == 1 and last - first == len(cluster)
    paused = _PAUSE.search(low, words[first].start, words[last].end)
    return whole and not paused and not any(same_word(b, k) for b in between for k in known)


def _trimmed(option: Option, cluster: list[tuple[int, str]], words: Sequence[Token], low: str) -> list[tuple[int, str]]:
    """Drop hits at either end that say little or lie far off, until the rest stands close together."""

    def loose(inner: int, outer: int) -> bool:
        (a, _), (b, _) = sorted((cluster[inner], cluster[outer]))
        apart = b - a > 1 or _PAUSE.search(low, words[a].end, words[b].start) is not None
        return apart and option.weights[cluster[outer][1]] < 0.5

    while len(cluster) > 1:
        span = cluster[-1][0] - cluster[0][0] + 1
        if loose(1, 0):
            cluster = cluster[1:]
        elif loose(-2, -1):
            cluster = cluster[:-1]
        elif len(cluster) < 0.6 * span:
            cluster = cluster[1:] if cluster[1][0] - cluster[0][0] > cluster[-1][0] - cluster[-2][0] else cluster[:-1]
        else:
            break
    return cluster


def _replaced(option: Option, last: int, words: Sequence[Token], low: str) -> bool:
    """Tell whether another word stands where the option's last word is missing ('por via nasal' for 'por via oral')."""
    if last + 1 >= len(words) or words[last + 1].key.endswith(("mente", "mg", "ml")) or words[last + 1].key.isdigit():
        return False
    after = low[words[last].end : words[last + 1].start]
    return _TOUCHING.fullmatch(after) is not None and not _abbreviates(words[last + 1].key, option)


def _mixed(
    option: Option, cluster: list[tuple[int, str]], words: Sequence[Token], low: str, known: frozenset[str]
) -> bool:
    """Tell whether another option's word stands in place of the missing last or first ('ligada ao X recessiva')."""
    said = {word for _, word in cluster}
    for inner, outer, missing in (
        (cluster[-1][0], cluster[-1][0] + 1, option.words[-1]),
        (cluster[0][0], cluster[0][0] - 1, option.words[0]),
    ):
        if missing in said or not 0 <= outer < len(words):
            continue
        if not any(same_word(words[outer].key, k) for k in known):
            continue
        first, second = sorted((words[inner], words[outer]), key=lambda t: t.start)
        if not low[first.end : second.start].strip() and meant_word(option, words[outer].key, known) is None:
            return True
    return False


def _abbreviates(short: str, option: Option) -> bool:
    """Tell whether ``short`` ('IM') abbreviates a word of the option ('intramuscular')."""
    if not 2 <= len(short) <= 4:
        return False
    return any(len(w) > 5 and w[0] == short[0] and re.match(".*?".join(short), w) is not None for w in option.words)


def _stands_alone(option: Option, cluster: list[tuple[int, str]], words: Sequence[Token], low: str) -> bool:
    """Tell whether no other noun or adjective touches the words found ('sulfato ferroso' is another drug)."""
    first, last = cluster[0][0], cluster[-1][0]
    if first != last and last - first + 1 != len(cluster):
        return False
    if len(words[last].key) < 5:
        return False
    after = low[words[last].end : words[last + 1].start] if last + 1 < len(words) else "."
    before = low[words[first - 1].end : words[first].start] if first and words[first - 1].key not in _LEADING else "."
    if last + 1 < len(words) and _abbreviates(words[last + 1].key, option):
        after = "."
    return _TOUCHING.fullmatch(after) is None and _TOUCHING.fullmatch(before) is None


def _best_of_overlapping(found: list[TextMatch]) -> list[TextMatch]:
    kept: list[TextMatch] = []
    by_start = sorted(found, key=lambda m: m.start)
    starts = [m.start for m in by_start]
    longest = max((m.end - m.start for m in found), default=0)
    for match in sorted(found, key=lambda m: (-m.said, -m.share, m.start)):
        near = by_start[bisect_left(starts, match.start - longest) : bisect_left(starts, match.end)]
        rivals = [k for k in near if k is not match and match.start < k.end]
        if any((k.said, k.share, k.spelt) > (match.said, match.share, match.spelt) for k in rivals):
            continue
        if any(
            (k.said, k.share, k.spelt) == (match.said, match.share, match.spelt) and k.label != match.label
            for k in rivals
        ):
            continue
        kept.append(match)
    return sorted(kept, key=lambda m: m.start)


def abbreviated(options: Options, short: str) -> str | None:
    """Return the one option whose words begin with the letters of ``short`` ('VNI': ventilação não invasiva)."""
    if not 3 <= len(short) <= 6:
        return None
    initials = {o.label: "".join(w[0] for w in o.words) for o in options.options}
    fits = [label for label, letters in initials.items() if letters.startswith(short)]
    if not fits:  # 'S. Guillain-Barré': the small words of a name have no initial
        fits = [o.label for o in options.options if "".join(w[0] for w in _WORD.findall(o.bare)) == short]
    return fits[0] if len(fits) == 1 else None


def _derived_word(option: Option, key: str) -> str | None:
    """Return the option's own word of which ``key`` is the adjective or the noun ('pilórica' for 'do piloro')."""
    return next((w for w in option.words if w in option.unique and derived(w, key)), None)


def holder(options: Options, said: Sequence[Token]) -> str | None:
    """Return the one option that holds every word of ``said``, with at least one word no other option has."""
    if not said:
        return None
    short = [o.label for o in options.options if len(said) == 1 and spelled_out(o, said[0].key)]
    if not short and len(said) == 1 and len(said[0].key) > 2:  # 'amoxi', 'inf.'
        short = [o.label for o in options.options if any(w.startswith(said[0].key) for w in o.words)]
    if len(short) == 1:
        return short[0]
    fits = []
    for option in options.options:
        if option.roman is not None:
            continue
        if meant_word(option, said[0].key, options.known) is None:
            continue
        matched = {meant_word(option, t.key, options.known) or _derived_word(option, t.key) for t in said}
        if None in matched or option.negated != any(t.key in NEGATIONS for t in said):
            continue
        if any(w in option.unique for w in matched):
            fits.append(option.label)
    return fits[0] if len(fits) == 1 else None
