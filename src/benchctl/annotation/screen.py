"""What the annotator sees."""

from __future__ import annotations

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from benchctl.annotation.items import Item
from benchctl.annotation.labels import label_keys, option_key
from benchctl.annotation.session import Session
from benchctl.terminal import visible

HELP = """\
One key per label:
  a b c ...  the option with that letter (upper or lower case); 1 2 3 ... the option in that place
  i          invented: commits to an alternative that is not there
  m          multiple: commits to two or more options
  r          refusal: declines to answer
  n          none: commits to nothing
And:
  u  undo the last label or skip, also after a restart     s  skip (see them again with --only skipped)
  t  note on this answer (Enter keeps it, Escape leaves)   q  quit: everything is already kept
Judge what the answer says, not whether it is right."""


class Screen:
    """Draws one item at a time; scrolling back is the terminal's own."""

    def __init__(self, console: Console, annotator: str, *, blind: bool) -> None:
        self._console = console
        self._annotator = annotator
        self._blind = blind

    def show(self, session: Session, message: str) -> None:
        """The current item, or that there is none left."""
        self._console.clear()
        counts = f"{session.done} of {session.total} · {session.skipped} skipped · {self._annotator}"
        self._console.print(Rule(Text(counts + (" · blind" if self._blind else "")), align="left"))
        item = session.current
        if item is None:
            self._line("Nothing waits for a label here. u undo, q quit.", "bold")
        else:
            self._item(item, session.annotation(item.sample.id).note)
        self._line(message, "green")
        self._console.print(Text("options · i m r n · u undo · s skip · t note · ? help · q quit", "dim"))

    def help(self) -> None:
        """All keys."""
        self._console.print(Text(HELP))

    def _item(self, item: Item, note: str) -> None:
        sample = item.sample
        if sample.context:
            self._console.print(Text(visible(sample.context), "dim"))
        self._console.print(Text(visible(sample.question), "bold"))
        keys = label_keys(sample.choices)
        for label, text in sample.choices.items():
            marks = "" if self._blind or label != sample.target else "   <- right"
            self._console.print(Text(f"  [{option_key(label, keys)}] {label}) {visible(text)}{marks}"))
        self._console.print(Rule(Text("answer"), align="left"))
        answer = highlighted(item, hidden=self._blind)
        self._console.print(answer if answer.plain.strip() else Text("(empty)", "dim italic"))
        self._console.print(Rule())
        if not self._blind:
            self._line(f"read as {item.reading.category}: {visible(item.explanation)}", "yellow")
        if note:
            self._line(f"note: {visible(note)}", "cyan")

    def _line(self, text: str, style: str) -> None:
        if text:
            self._console.print(Text(text, style))


def highlighted(item: Item, *, hidden: bool) -> Text:
    """The raw answer, with the words the reading rests on in reverse unless they are hidden."""
    text = Text(visible(item.text))
    if not hidden:
        start, end = evidence(item)
        text.stylize("reverse", start, end)
    return text


def evidence(item: Item) -> tuple[int, int]:
    """Where in the answer the reading's evidence stands; (0, 0) where today's rules no longer read it so."""
    from benchctl.answers import read_answer

    reading = read_answer(item.text, item.sample.choices, item.sample.question)
    same = (reading.outcome, reading.label) == (item.reading.outcome, item.reading.label)
    return (reading.start, reading.end) if same else (0, 0)
