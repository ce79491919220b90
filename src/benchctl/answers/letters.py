"""Reading a letter, or several joined ones, at a place in the text, and telling it from an article or a name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from benchctl.answers.lexicon import DRESS
from benchctl.answers.phrases import WORD_END, any_of

_SKIP = re.compile(r"\W+")
_FILLERS = any_of(
    """unic[ao] / only / sim / just / apenas / so / somente / both / ambas / tanto / either /
        de / da / do / das / dos / com / with / os / as / the / la / el / las / los / an? / o / corret[ao]s? /
        cert[ao]s? / correct[ao]?s? / final / que / is / é / e(?=\\s+(?:a|o)\\s) / na / no / for / sea / seja"""
)
_FILLER = re.compile(rf"{_FILLERS}{WORD_END}")
_DRESS = re.compile(rf"{DRESS}{WORD_END}")
_CONJUNCTIONS = any_of("e/ou / e tambem / e talvez / ou / e / and / or / y / o / u / quanto / como / com")
_JOIN = re.compile(
    rf"\s*[)\]\"']*\s*(?:\([^()\n]{{1,80}}\)\s*)?(?:,\s*(?:(?:e|ou|and|or|y|o|u)\s)?|/|&|\+|;|\b{_CONJUNCTIONS}\s)\s*"
)
_CONNECTS = any_of(
    """pois / porque / por / ja / visto / uma vez / que / e / ou / is / are / since / because / as / and / or /
        es / ya / com / y / o / u / esta / estao / sao / son / nao / not / no / dado / devido / para / sem /
        due / mas / but / porem / é / podem / ambas / both / seria / quanto / foi / tambem / ambos / embora /
        de / como"""
)
_CONNECTED = re.compile(rf"\s+{_CONNECTS}{WORD_END}")
_VERDICTS = r"(?:in)?(?:corret|correct|fals|errad|verdadeir|cert)[ao]s?\s*(?:[.,;|\n]|$)"
_GOES_ON = re.compile(
    rf"\s+(?:(?!{_CONNECTS}{WORD_END}|{_VERDICTS})[^\W\d_]|\d{{1,2}}\s?(?:[ªº]|[ao](?![^\W_])))"  # 'A 2ª opção'
)
_REASONED = re.compile(rf"\s+(?:pois|porque|esta|because|(?:e|ou)\s+[a-z]){WORD_END}")
_ENDS = re.compile(r"\s*(?:[).\]}\"',;:!?|<-]|$|\n)")
_COPULA = re.compile(r"\b(?:é|e|is|es|seria|sera|foi)\s+\Z")
_IN_A_WORD = re.compile(r"[^\W_]|['-][^\W_]|\+\w|_")
_SPECIES = re.compile(r"\.\s?(?:[a-z]{3,}(?:us|is|ae|um|ei|ii|cile|ans|oli|ia|es|us)|coli)(?![^\W_])")
_LETTER_NEXT = re.compile(rf"\s+[\"'(\[]*(?:{DRESS}{WORD_END}|(?P<letter>[a-z])(?![^\W_]))")


@dataclass(frozen=True, slots=True)
class Letters:
    """Upper-case letters named at one place; ``dressed`` when a word such as 'alternativa' makes them options."""

    names: tuple[str, ...]
    start: int
    end: int
    dressed: bool


def letters_at(text: str, low: str, start: int, end: int, dressed: bool = False) -> Letters | None:
    """Return the letters that begin at ``start``, articles, brackets and nouns such as 'letra' skipped.

    ``low`` is ``text`` in lower case. A lone 'A', 'E' or 'O' that goes on as a sentence would ('A paciente') is an
    article; a small letter counts only where something closes it ('b)', 'letra e.').
    """
    position, dressed = _skip_filler(text, low, start, end, dressed)
    if not _is_letter(text, low, position, end, dressed):
        return None
    names, first, last = [text[position].upper()], position, position + 1
    while joined := _JOIN.match(low, last, end):
        following, _ = _skip_filler(text, low, joined.end(), end, dressed)
        if not _is_letter(text, low, following, end, dressed) or (text[following].islower() != text[first].islower()):
            break
        names.append(text[following].upper())
        last = following + 1
    return Letters(tuple(dict.fromkeys(names)), first, last, dressed)


def _skip_filler(text: str, low: str, position: int, end: int, dressed: bool) -> tuple[int, bool]:
    """Step over brackets, articles and option nouns; a lone 'a' before another letter is an article."""
    for _ in range(8):
        space = _SKIP.match(low, position, end)
        if space:
            position = space.end()
        noun = _DRESS.match(low, position, end)
        if noun:
            position, dressed = noun.end(), True
            continue
        filler = _FILLER.match(low, position, end)
        if not filler:
            break
        if filler.end() - position == 1 and not _article(text, low, position, end):
            break
        position = filler.end()
    return position, dressed


def _article(text: str, low: str, position: int, end: int) -> bool:
    """Tell whether the lone letter at ``position`` only leads to a letter or an option noun."""
    following = _LETTER_NEXT.match(low, position + 1, end)
    if following is None or following["letter"] is None:
        return following is not None
    conjunction = following["letter"] in "eyou" and text[following.start("letter")].islower()
    return not (text[position].isupper() and conjunction)  # 'A e B' are two letters


def _is_letter(text: str, low: str, position: int, end: int, dressed: bool) -> bool:
    if position >= end or not ("a" <= low[position] <= "l"):
        return False  # nobody invents an alternative beyond L; R, V, X and the like are other things
    after = position + 1
    if _IN_A_WORD.match(low, after, end):
        return False
    if text[position].isupper():
        article = text[position] in "AEIO" and _GOES_ON.match(low, after, end) is not None
        return not article and not _SPECIES.match(text, after, end)
    if low[position] in "aeo" and after == len(low.rstrip()) and _COPULA.search(low, max(0, position - 12), position):
        return False  # 'a resposta correta é a' breaks off
    if _ENDS.match(low, after, end):
        return True
    if low[position] in "aeio":
        return dressed and _REASONED.match(low, after, end) is not None
    return dressed or _CONNECTED.match(low, after, end) is not None
