"""Which part of a reply counts: not the thinking, not the echoed prompt, not another question's answer.

Each step blanks what does not count with newlines, so positions hold and the sentences around it stay apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from benchctl.answers.folding import Folded, lower
from benchctl.answers.options import Options
from benchctl.answers.phrases import any_of
from benchctl.answers.question import Question
from benchctl.answers.sentences import split_sentences
from benchctl.answers.words import tokens

_TAG = any_of(
    """think / thinking / thoughts? / reasoning / reason / rationale / scratchpad / reflection / raciocinio /
        pensamento / analise / analysis / begin_of_thought / razonamiento"""
)
# gpt-oss thinks and answers in channels; decoded without its special tokens, their names run into the words beside.
_CHANNEL = r"<\|channel\|>\s*"
_OPEN = re.compile(rf"[<\[][|]?{_TAG}[|]?[>\]]|{_CHANNEL}(?:analysis|commentary)\b|\A(?-i:analysis(?=[A-Z]))", re.I)
_CLOSE = re.compile(
    rf"[<\[][|]?(?:/{_TAG}|end_of_thought)[|]?[>\]]|{_CHANNEL}final\s*(?:<\|message\|>|\Z)|(?-i:assistantfinal)", re.I
)
_ANSWER_TAG = re.compile(r"<(?:final_)?(?:answer|resposta|respuesta|output|saida)\b[^>]*>", re.I)

_TURN = re.compile(
    r"""
    (?P<user>
        <\|(?:im_start|start_header_id)\|>\s*(?:user|system|usuario|human)\s*(?:<\|end_header_id\|>)?
      | <\|(?:user|system|prompter|human)\|> | \[INST\] | <<SYS>> | <start_of_turn>\s*user
      | ^[ ]*\#\#\#?[ ]*(?:instruc[a-z]*|instruction|input|entrada|human|user|usuario|pergunta|question|questao|
        pregunta)\b[ ]*\d*[ ]*:?
      | ^[ ]*(?:user|usuario|human|humano)[ ]*:
    ) | (?P<assistant>
        <\|(?:im_start|start_header_id)\|>\s*(?:assistant|model|ai)\s*(?:<\|end_header_id\|>)?
      | <\|(?:assistant|model|bot)\|> | \[/INST\] | <start_of_turn>\s*model
      | ^[ ]*\#\#\#?[ ]*(?:resposta|response|answer|respuesta|assistant|assistente)\b[ ]*:?
      | ^[ ]*(?:assistant|assistente|asistente)[ ]*:
    ) | (?P<end>
        <\|(?:im_end|eot_id|end|endoftext|end_of_text|eos)\|> | </s> | <end_of_turn> | <eos>
    ) | (?P<noise> <s> | <bos> | <\|begin_of_text\|> | <pad> | <unk> | <</SYS>> )
    """,
    re.I | re.M | re.X,
)
_INSTRUCTION = re.compile(
    r"(?:^|(?<=[.!?:]\s))[\s\"'*-]{0,12}(?:por\s+favor,?\s+)?"
    + any_of(
        """responda / escolha / assinale / marque / selecione / indique / answer / choose / select / pick / please /
        responde / elija / elige / selecciona / marca"""
    )
    + r"\s+"
    + any_of(
        """apenas / somente / so / com / uma / only / with / one / just / solo / con / una /
        a (alternativa|opcao|letra|questao|pergunta) (corret|cert|correspond|a seguir|abaixo|que) /
        the (correct|best|letter|option|question) / la (opcion|letra|respuesta) correct"""
    )
    + r"[^.\n:?]*[.:?]?",
    re.I | re.M,
)
_HEADING = re.compile(
    r"^\W*(?:(?:proxima|nova|next|outra|another|siguiente)\s+)?"
    r"(?:pergunta|questao|question|pregunta|enunciado|exercicio|problema|problem|exemplo|example|ejemplo|q)"
    r"\s*(?:n[ºo.]*\s*)?(?:\d*\s*[:.)-](?=\s|$)|\d+\b)"
    r"(?![^\n?]*\b(?:resposta|gabarito|alternativa|letra|answer)\b|[\s*:.)-]*\(?[A-H][).*]*\s*$)",
    re.I | re.M,
)
_CONTEXT = re.compile(r"^\W*(?:contexto|context|texto|caso\s+clinico|cenario)\s*:(?=[^\n]*\?)", re.I | re.M)
_ITEM = re.compile(r"^[ \t]*\W{0,2}([A-Ha-h])\s*[).:-]+\s*(\S.*)$", re.M)
_JUDGED = re.compile(
    r"\b(?:in)?corret|\berrad|\bfals|\bverdadeir|\b(?:in)?correct\b|\bwrong|\btrue\b|\d\s*%|[✅✓✔❌✗✘☑]", re.I
)


def blank_spans(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return ``text`` with each span replaced by an empty line, so that positions hold."""
    pieces: list[str] = []
    position = 0
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    for start, end in merged:
        if end > start:
            gap = "\n" + " " * (end - start - 2) + "\n" if end - start > 1 else "\n"
            pieces += [text[position:start], gap]
            position = end
    return "".join(pieces) + text[position:] if pieces else text


def answer_part(folded: Folded, options: Options, question: Question) -> Folded:
    """Return ``folded`` with everything blanked that is not this question's answer; see :func:`without_echo`."""
    text = folded.marked  # headings are seen with their markup only
    text = without_thinking(text)
    text = own_question(text, options, question)
    text = own_turn(text, question)
    text = blank_spans(text, [m.span() for m in _INSTRUCTION.finditer(text)])
    if text == folded.marked:
        return folded
    pairs = zip(text, folded.marked, folded.text, strict=True)
    return replace(folded, marked=text, text="".join(p if s == m else s for s, m, p in pairs))


def without_thinking(text: str) -> str:
    """Blank thinking tags and what they enclose. A tag left open hides all that follows, up to an answer tag."""
    if not (_OPEN.search(text) or _CLOSE.search(text)):
        return text
    position, spans = 0, []
    first_open, first_close = _OPEN.search(text), _CLOSE.search(text)
    if first_close and (first_open is None or first_close.start() < first_open.start()):
        spans.append((0, first_close.end()))
        position = first_close.end()
    while opened := _OPEN.search(text, position):
        closed = _CLOSE.search(text, opened.end())
        if closed:
            position = closed.end()
        else:
            answer = _ANSWER_TAG.search(text, opened.end())
            position = answer.start() if answer else len(text)
        spans.append((opened.start(), position))
    return blank_spans(text, spans)


def own_turn(text: str, question: Question) -> str:
    """Keep the first thing the assistant says; blank the prompt's turns before it and the made-up turns after it."""
    marks = list(_TURN.finditer(text))
    if not marks:
        return text
    segments: list[tuple[str, int, int]] = []
    role, start = "start", 0
    for mark in marks:
        segments.append((role, start, mark.start()))
        kind = mark.lastgroup or "noise"
        role, start = (role if kind == "noise" else kind), mark.end()
    segments.append((role, start, len(text)))
    filled = [s for s in segments if text[s[1] : s[2]].strip(" \n#*:>-")]
    kept = _kept_segments(filled, text, question)
    spans, position = [], 0
    for _, begin, end in kept:
        spans.append((position, begin))
        position = end
    return blank_spans(text, [*spans, (position, len(text))])


def _kept_segments(filled: list[tuple[str, int, int]], text: str, question: Question) -> list[tuple[str, int, int]]:
    """Choose the segments of the reply's own turn; ``start`` is text before any marker."""
    if not filled:
        return []
    roles = [role for role, _, _ in filled]
    first = 0
    if roles[0] == "start" and len(filled) > 1 and roles[1] == "assistant" and not _ends_turn(filled[0], text):
        first = 1  # what runs straight into the assistant's marker is a prompt or a reasoning section
    elif roles[0] == "user" or (roles[0] == "start" and question.echoed_in(text[filled[0][1] : filled[0][2]])):
        first = roles.index("assistant") if "assistant" in roles else (0 if roles[0] == "start" else len(filled))
    kept: list[tuple[str, int, int]] = []
    for segment in filled[first:]:
        if kept and (segment[0] != "assistant" or _ends_turn(kept[-1], text)):
            break
        kept.append(segment)
    return kept


def _ends_turn(segment: tuple[str, int, int], text: str) -> bool:
    closing = _TURN.match(text, segment[2])
    return closing is not None and closing.lastgroup in ("end", "user")


def own_question(text: str, options: Options, question: Question) -> str:
    """Blank the blocks that ask and answer another question: worked examples before, made-up questions after."""
    starts = [m.start() for m in _HEADING.finditer(text)]
    starts = sorted({*starts, *(m.start() for m in _CONTEXT.finditer(text) if text[: m.start()].strip())})
    foreign = _foreign_list(text, options, question, starts)
    if foreign is not None:
        starts = sorted({*starts, foreign})
    if not starts:
        return text
    bounds = [*starts, len(text)]
    spans = []
    for start, end in zip(starts, bounds[1:], strict=False):
        if start == foreign or not _is_own(text[start:end], options, question):
            spans.append((start, end))
    return blank_spans(text, spans)


def _is_own(block: str, options: Options, question: Question) -> bool:
    """Tell whether a block under a question's heading is about this question."""
    asked = _ITEM.split(block, maxsplit=1)[0]
    if question.known:
        return question.echoed_in(asked) or question.echoed_in(block)
    items = [(m[1].upper(), m[2]) for m in _ITEM.finditer(block)]
    return bool(items) and any(options.says(letter, body) for letter, body in items)


def _foreign_list(text: str, options: Options, question: Question, headings: list[int]) -> int | None:
    """Find a lettered list that holds another question's options; return where its question begins."""
    items = list(_ITEM.finditer(text))
    for index, item in enumerate(items[:-2]):
        run = items[index : index + 3]
        letters = [m[1].upper() for m in run]
        if letters != ["A", "B", "C"] or any(options.says(m[1].upper(), m[2]) or _JUDGED.search(m[2]) for m in run):
            continue
        before = text.rfind("\n", 0, max(item.start() - 1, 0)) + 1
        line = text[before : item.start()].strip()
        own = question.echoed_in(line) and not _asks_more(line, question)
        if line.endswith(("?", ":")) and not own and not any(h <= item.start() for h in headings):
            return before
    return None


def _asks_more(line: str, question: Question) -> bool:
    """Tell whether the line asks about things that the question does not name, though it shares the words that ask."""
    said = [t.key for t in tokens(lower(line))]
    return len(question.focus) < 3 and sum(s not in question.keys for s in said) >= 2


def without_echo(text: str, options: Options, question: Question) -> str:
    """Blank the repeated question and the repeated list of options."""
    spans = question.echoes(text)
    if spans:
        before = split_sentences(text[: spans[-1][0]])
        spans += [(s, e) for s, e in before if question.copied(text[s:e])]
    block = options.echoed_list(text)
    if block:
        spans.append(block)
        tail = re.compile(r"\s*(?:[A-Z]\s*[).:-]+[^\n]*\s*)+\Z").match(text, block[1])
        if (
            tail and tail[0].strip() and tail[0].strip()[0] not in options.letters
        ):  # the list goes on with options of its own: it still chooses nothing
            spans.append((block[1], tail.end()))
    return blank_spans(text, spans)
