"""How much of an answer is Portuguese, by its function words: small, offline and with limits that are stated.

Each sentence goes to the language most of whose function words and letters it holds, among Portuguese, Spanish,
English and French. Words shared by two languages count for both and so decide nothing. A sentence without a sign of
any goes with the text as a whole. Limits: other languages are taken for one of the four or for none; Galician and
Mirandese pass as Portuguese; a sentence that mixes languages goes to one of them; lists of drug names say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from benchctl.hookspecs import hookimpl
from benchctl.metric import Metric, Scored

from .texts import answer, words

FUNCTION_WORDS: Mapping[str, str] = {
    "pt": "a ainda além ao aos apenas após as até à às cada com como contra da das de dela dele deles deve devem dia "
    "do dos e ela elas ele eles em então entre era essa esse esta está estão este eu é foi foram há isso isto "
    "já lhe mais mas menos meu minha muito na nas não nem no nos nós o onde os ou outra outro para pela pelas "
    "pelo pelos pessoa pode podem pois por porém porque quais qual quando que quem são se seja sem sempre ser "
    "seu seus sim sob sobre sua suas também tem ter têm todo todos um uma você vocês",
    "es": "a al algunos ante antes aunque bajo cada como con contra cual cuando cuál de debe deben del desde donde "
    "dos e el ella ellas ellos en entonces entre era eran es esa ese eso esta está están este esto estos él "
    "fue fueron ha hay la las le les lo los más menos mi mis mucho muy ni no nos o otra otro para pero persona "
    "por porque puede pueden pues que quien sea según ser si siempre sin sí sobre son su sus también tener "
    "tiene tienen todo todos un una unos usted y ya yo",
    "en": "a about also an and any are as at be because been but by can could do does for from had has have he her "
    "his how if in into is it its may me more most must no not of on one or other our out over patient she "
    "should so some such than that the their them then there these they this those to under was we were what "
    "when where which while who will with would you your",
    "fr": "a au aux avec à ce ces cette chez comme dans de des donc dont du elle elles en entre est et être il ils "
    "je la le les leur leurs lui mais me même mon ne nous on ont ou où par pas peut peuvent plus pour qu que "
    "qui sa sans se ses si son sont sous sur tous tout très un une vous",
}
"""Own lists of the commonest words that carry grammar rather than a subject."""

LETTERS: Mapping[str, str] = {"pt": "ãõ", "es": "ñ¿¡", "en": "", "fr": "èùûœ"}
"""Letters and signs that only one of the four uses."""

_SENTENCE = re.compile(r"[^.!?\n;:]+")


class PortugueseShare(Metric):
    """Share of the answer's words that stand in Portuguese sentences."""

    name = "portuguese_share"
    percent = True

    def value(self, scored: Scored) -> float | None:
        """Between 0 and 1; None where there is no text or nothing in it tells a language, as in ``B) 5 mg``."""
        text = answer(scored)
        return None if text is None else portuguese_share(text)


def portuguese_share(text: str) -> float | None:
    """Share of the words of a text that stand in Portuguese sentences; None without a word, or a sign of a language."""
    whole = language(text)
    if whole is None:
        return None
    sentences = [(len(words(found)), language(found) or whole) for found in _SENTENCE.findall(text)]
    total = sum(count for count, _ in sentences)
    return sum(count for count, spoken in sentences if spoken == "pt") / total if total else None


def language(text: str) -> str | None:
    """``pt``, ``es``, ``en`` or ``fr``, whichever the text holds most signs of; None for fewer than two or a tie."""
    said = words(text)
    lowered = text.lower()
    signs = {
        name: sum(word in known for word in said) + sum(lowered.count(letter) for letter in LETTERS[name])
        for name, known in _known().items()
    }
    first, second = sorted(signs.values(), reverse=True)[:2]
    return max(signs, key=signs.__getitem__) if first > max(second, 1) else None


@cache
def _known() -> Mapping[str, frozenset[str]]:
    return {name: frozenset(listed.split()) for name, listed in FUNCTION_WORDS.items()}


@hookimpl
def benchctl_metrics() -> Mapping[str, type[Metric]]:
    """The one."""
    return {PortugueseShare.name: PortugueseShare}
