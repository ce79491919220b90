"""Words as the rules compare them: which ones carry meaning, and when two spellings are the same word."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_TOKEN = re.compile(r"[^\W\d_]\d+(?![\d.,]*\d)|\d+(?:[.,]\d+)*|[^\W\d_]+")
_LETTER_PREFIX = re.compile(r"([A-Za-z])-(?=([^\W\d_]{4,}))")
_SECOND_NAME = re.compile(r"\s+(?:e|ou|and|or|y)\s+(?P<name>[A-Z])(?=\s*(?:[.;:!?)\n]|$))")  # 'vitaminas A e D'
_SHORT_NAME = re.compile(r"(?: ao)?[ -](?:([A-Z])|([b-df-np-xz]))(?![^\W_]|[.)]\s*[a-z]|-[^\W_])")


def word_set(text: str) -> frozenset[str]:
    """Return the words of ``text``, for lists that read better as running text."""
    return frozenset(text.split())


STOP = word_set(
    """a o as os um uma uns umas de do da dos das em no na nos nas ao aos para pelo pela pelos pelas por com e ou que
    se sua seu suas seus lhe lhes eles elas ele ela porque pois isso isto esse essa este esta eram era foi sao ser
    sendo tinha tinham ha the an of in on at to for by with and or that it its is are was were be been this these
    those because they he she his her el la los las un una unos unas del al en y u lo su sus es son fue eran
    esto eso mais muito muy very also tambem tambien como ja me te ter tem had has have é estava estavam estao foram
    voce qual quais cual cuales which what who quem"""
) - {"no"}
"""Folded words that say nothing about which option is meant. Negations are no stop words."""

NEGATIONS = word_set("""nao nem nunca sem not no never without sin ni tampouco tampoco nenhum nenhuma ningun ninguna""")

_GENERIC = word_set(
    """doenca sindrome disease syndrome enfermedad tratamento treatment tratamiento uso terapia therapy nervo nerve
    nervio arteria artery vitamina vitamin virus grupo group tipo type celula celulas cells cell hormonio hormone
    enzima exame teste test apenas somente only solo causa cause paciente patient
    ficou fica ficaram ficar estava fator factor classe class tumor parede lesao"""
)
_KINDS = word_set("tipo tipos grupo grupos fator classe type group class factor clase")
_SOUNDS = (
    ("ph", "f"), ("th", "t"), ("rh", "r"), ("y", "i"), ("w", "v"), ("k", "c"), ("qu", "c"), ("ch", "x"), ("mn", "n"),
    ("pt", "t"), ("tireo", "tiro"), ("cc", "c"), ("ct", "t"), ("ce", "se"), ("ci", "si"), ("z", "s"),
    ("ae", "e"), ("oe", "e"),
)  # fmt: skip
_ADJECTIVE = re.compile(r"([a-z]+?)(?:ic[oa]s?|a[lr]|a(?:is|res)|ari[oa]s?|os[oa]s?|ian[oa]s?)")
_ENCLITIC = re.compile(r"-l[oa]s?(?![^\W_])")
_SUPERLATIVE = ("issimo", "issima", "issimos", "issimas")
_DISEASE = re.compile(r"([a-z]{4,}?)(?:iase|iose|ose|ite|iasis|osis|itis)")
_GERM = re.compile(r"([a-z]{4,}?)(?:ias?|as?|um|us|os?|es?)")
_NOUN_ENDINGS = ("", "o", "a", "e", "os", "as", "es")
_NEAR = frozenset(frozenset(pair) for pair in ("sz", "sc", "sx", "ie", "ou", "gj", "bv", "mn", "lu", "lr", "ck"))


class Token(NamedTuple):
    """One word that carries meaning, folded and in lower case; ``start`` and ``end`` are positions in the text."""

    key: str
    start: int
    end: int


@lru_cache(maxsize=64)
def tokens(text: str, keep_stop: bool = False) -> tuple[Token, ...]:
    """Return the words of folded ``text`` that carry meaning, in order.

    A word and the single letter that names its kind are one word ('hepatite B', 'vitamina C', 'grupo O'), since the
    letter alone means an option or an article; so are 'D-dímero' and the like. With ``keep_stop`` every word is there.
    """
    found: list[Token] = []
    skip_to = 0
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        if start < skip_to:
            continue
        key = match[0].lower()
        if len(key) == 1:
            prefixed = _LETTER_PREFIX.match(text, start)
            if prefixed:
                skip_to = end + 1 + len(prefixed[2])
                found.append(Token(f"{prefixed[2].lower()}-{key}", start, skip_to))
            elif keep_stop or key.isdigit():
                found.append(Token(key, start, end))
            continue
        if key[-1] in "aei" and len(key) > 3 and _ENCLITIC.match(text, end):
            key += "r"  # 'avaliá-lo'
        if len(key) > 8 and key.endswith(_SUPERLATIVE):
            key = key[:-6] + key[-1] if key[-1] != "s" else key[:-7] + key[-2:]
        if key in STOP:
            if keep_stop:
                found.append(Token(key, start, end))
            continue
        if key[0].isdigit():
            key = key.replace(",", ".")
        elif len(key) > 2 and key not in NEGATIONS:
            name = _SHORT_NAME.match(text, end)
            if name and name[2] not in ("e", "o", "a", "y"):
                pair = _SECOND_NAME.match(text, name.end()) if name[1] else None
                if pair:
                    found.append(Token(f"{key}+{name[0][-1].lower()}", start, name.end()))
                    start, name = pair.start("name"), pair
                    key, end, skip_to = f"{key}+{name['name'].lower()}", name.end(), name.end()
                else:
                    key, end, skip_to = f"{key}+{name[0][-1].lower()}", name.end(), name.end()
        found.append(Token(key, start, end))
    return tuple(found)


@lru_cache(maxsize=65536)
def sound(word: str) -> str:
    """Return a rough sound key: one spelling for 'Kawazaki' and 'Kawasaki', 'infecção' and 'infeção'."""
    word = re.sub(r"^es(?=[ptckq])", "s", word)  # 'estafilococo' and 'staphylococcus'
    for old, new in _SOUNDS:
        word = word.replace(old, new)
    word = re.sub(r"(.)\1+", r"\1", word)
    for old, new in (("oes", "ao"), ("aes", "ao"), ("ais", "al"), ("eis", "el"), ("sion", "sao"), ("tion", "sao")):
        if word.endswith(old) and len(word) > 5:
            word = word[: -len(old)] + new
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


def same_sound(one: str, other: str) -> bool:
    """Tell whether two folded words are one in number and spelling reform only ('célula' and 'células')."""
    return one == other or (
        one.isalpha() and other.isalpha() and min(len(one), len(other)) > 3 and sound(one) == sound(other)
    )


@lru_cache(maxsize=262144)
def same_word(one: str, other: str) -> bool:
    """Tell whether two folded words are one word in another form or with a small slip.

    Numbers and words with a kind letter must agree exactly. 'hipocalemia' and 'hipercalemia', 'nefrótica' and
    'nefrítica', 'prednisona' and 'prednisolona' are different words.
    """
    if one == other:
        return True
    if not (one.isalpha() and other.isalpha()):
        return _same_name(one, other)
    if min(len(one), len(other)) < 4:
        return False
    one, other = sound(one), sound(other)
    if one == other:
        return True
    if abs(len(one) - len(other)) > 3 or one[:2] != other[:2]:
        return False
    short, long = min(len(one), len(other)), max(len(one), len(other))
    shared = next((i for i in range(short) if one[i] != other[i]), short)
    if shared >= 4 and shared >= 0.75 * long and _endings_differ_only(one[shared:], other[shared:]):
        return True
    return short >= 6 and _one_slip(one, other)


def derived(one: str, other: str) -> bool:
    """Tell whether one word is the adjective of the other, a noun ('pilórica' of 'piloro', 'uretral' of 'uretra'), or
    the disease that a germ brings, or the quality ('universalidade' of 'universal')."""
    return (
        _adjective_of(one, other)
        or _adjective_of(other, one)
        or disease_of(one, other)
        or disease_of(other, one)
        or (_quality_of(one, other) or _quality_of(other, one))
    )


def _adjective_of(adjective: str, noun: str) -> bool:
    found = _ADJECTIVE.fullmatch(adjective)
    stem = found[1] if found else ""
    return len(stem) > 4 and noun.startswith(stem) and noun[len(stem) :] in _NOUN_ENDINGS


def _quality_of(quality: str, adjective: str) -> bool:
    """Tell whether one word is the noun of the other ('universalidade' of 'universal')."""
    stem = quality.removesuffix("idade")
    return len(stem) > 4 and stem != quality and adjective.rstrip("eao") == stem


def disease_of(disease: str, agent: str) -> bool:
    """Tell whether one word is the disease that the other, a germ or a worm, brings ('tricomoníase', 'Trichomonas')."""
    found = _DISEASE.fullmatch(disease)
    germ = _GERM.fullmatch(agent) if found else None
    if found is None or germ is None:
        return False
    one, other = sound(found[1]), sound(germ[1])
    return len(one) > 3 and (one == other or one.replace("x", "c") == other.replace("x", "c"))


def _same_name(one: str, other: str) -> bool:
    """Compare words of which one at least has a letter: 'grupo+o' must agree in it, 'dimero-d' may go without it."""
    named = [len(w) > 2 and w[-2] in "+-" for w in (one, other)]
    if all(named):
        return one[-1] == other[-1] and _same_kind(one[:-2], other[:-2])
    if any(named):
        long, short = (one, other) if named[0] else (other, one)
        return long[-2] == "-" and short.isalpha() and same_word(long[:-2], short)
    return False


def _same_kind(one: str, other: str) -> bool:
    """Tell whether two words before a name's letter are the same, or both are mere words for a kind."""
    if min(len(one), len(other)) >= 3 and (one.startswith(other) or other.startswith(one)):
        return True  # 'vit. A' and 'vitamina A'
    return same_word(one, other) or {one, other} <= _KINDS


def _endings_differ_only(one: str, other: str) -> bool:
    """Tell whether what follows the shared beginning is a mere ending (gender, number, language)."""
    return len(one) <= 3 and len(other) <= 3 and not {"ase", "ose"} & {one, other}


def _one_slip(one: str, other: str) -> bool:
    """Tell whether one letter is missing, doubled, swapped with its neighbour or taken for one that sounds alike."""
    start = next((i for i in range(min(len(one), len(other))) if one[i] != other[i]), -1)
    if start < 1:
        return False
    a, b = one[start:], other[start:]
    if len(a) == len(b):
        swapped = a[:2] == b[1::-1] and a[2:] == b[2:]
        vowels = start >= 4 and len(a) > 5 and {a[0], b[0]} <= set("aeiou")  # 'amoxacilina', but not 'nefrítica'
        return swapped or (a[1:] == b[1:] and (vowels or frozenset((a[0], b[0])) in _NEAR))
    longer, shorter = (a, b) if len(a) > len(b) else (b, a)
    return longer[1:] == shorter


def sound_start(word: str) -> str:
    """Return the sound a word begins with: plain words that begin with different ones are never the same word."""
    first = sound(word)[:1]
    return "c" if first == "x" else first  # the disease of a germ may be spelt with either


def weight(word: str) -> float:
    """Return how much a word says: nouns that head many options ('doença', 'vitamina') say little."""
    return 0.4 if word in _GENERIC else 1.0
