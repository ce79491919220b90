"""Reading a letter, or several joined ones, at a place in the text, and telling it from an article or a name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from benchctl.answers.lexicon import DRESS

_SKIP = re.compile(r"\W+")
_FILLER = re.compile(
    r"(?:unic[ao]|only|sim|just|apenas|so|somente|both|ambas|tanto|entre|between|either|de|da|do|das|dos|com|with|os|as|the|la|el|las|"
    r"los|an?|o|corret[ao]s?|cert[ao]s?|correct[ao]?s?|final|que|is|é|e(?=\s+(?:a|o)\s)|na|no|for|sea|seja)(?![^\W_])"
)
_DRESS = re.compile(rf"{DRESS}(?![^\W_])")
_JOIN = re.compile(
    r"\s*[)\]\"']*\s*(?:,\s*(?:(?:e|ou|and|or|y|o|u)\s)?|/|&|\+|;|(?:\be/ou|\be\s+tambem|\be\s+talvez|\bou|\be|\band|\bor|\by|\bo|\bu|\bquanto|\bcomo|\bcom)\s)\s*"
)
_CONNECTS = (
    r"(?:pois|porque|por|ja|visto|uma\s+vez|que|e|ou|is|are|since|because|as|and|or|es|ya|com|y|o|u|esta|estao|sao|son|nao|not|no|dado|"
    r"devido|para|sem|due|mas|but|porem|é|podem|ambas|both|seria|quanto|foi|tambem|ambos|embora|de|como)"
)
_AFTER_VOWEL = re.compile(rf"\s+(?!{_CONNECTS}(?![^\W_]))[^\W\d_]")
_ENDS = re.compile(r"\s*(?:[).\]}\"',;:!?|<-]|$|\n)")
_SPECIES = re.compile(r"\.\s?[a-z]{3,}(?:us|is|ae|um|coli|ei|ii|cile|ans|oli)(?![^\W_])")


@dataclass(frozen=True, slots=True)
class Letters:
    """Upper-case letters named at one place; ``dressed`` when a word such as 'alternativa' makes them options."""

    names: tuple[str, ...]
    start: int
    end: int
    dressed: bool
    either: bool = False


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
    rest = re.compile(rf"\s+[\"'(\[]*(?:{DRESS}(?![^\W_])|[a-z](?![^\W_]))").match(low, position + 1, end)
    if not rest:
        return False
    following = rest.end() - 1
    if rest[0].strip()[-1:] and re.fullmatch(r"\s+[\"'(\[]*[a-z]", rest[0]):
        return not (text[position].isupper() and low[following] in "eyou" and text[following].islower())
    return True


def _is_letter(text: str, low: str, position: int, end: int, dressed: bool) -> bool:
    if position >= end or not ("a" <= low[position] <= "l"):
        return False  # nobody invents an alternative beyond L; R, V, X and the like are other things
    after = text[position + 1 : position + 40] if position + 40 <= end else text[position + 1 : end]
    if after and (after[0].isalnum() or re.match(r"['-][^\W_]|\+\w|_", after)):
        return False
    if text[position].isupper():
        if _SPECIES.match(after):
            return False
        return text[position] not in "AEIO" or not _AFTER_VOWEL.match(after.lower())
    if _ENDS.match(after):
        return True
    if low[position] in "aeioy":
        return (
            dressed
            and re.match(r"\s+(?:pois|porque|e\s+[a-z](?![^\W_])|ou\s+[a-z](?![^\W_])|esta|because)(?![^\W_])", after)
            is not None
        )
    return dressed or re.match(rf"\s+{_CONNECTS}(?![^\W_])", after) is not None
