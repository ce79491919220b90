"""One sitting at the keyboard, without the keyboard: what each key does and what is shown next."""

from __future__ import annotations

from collections.abc import Sequence

from benchctl.annotation.items import Item
from benchctl.annotation.labels import Label, label_keys
from benchctl.annotation.store import Annotation, Store


class Session:
    """Walks over the items that wait for a label. Every key that means something is in the store before it returns."""

    def __init__(self, items: Sequence[Item], store: Store, *, revisit_skipped: bool = False) -> None:
        self._items = {item.sample.id: item for item in items}
        self._store = store
        self._waiting = [i for i in self._items if not self._done(i, revisit_skipped)]

    def _done(self, identity: str, revisit_skipped: bool) -> bool:
        annotation = self.annotation(identity)
        return annotation.label is not None or (annotation.skipped and not revisit_skipped)

    def annotation(self, identity: str) -> Annotation:
        """What was said about an item so far."""
        return self._store.state.annotations.get(identity, Annotation(identity))

    @property
    def current(self) -> Item | None:
        """The item on the screen; None when all have been seen."""
        return self._items[self._waiting[0]] if self._waiting else None

    @property
    def done(self) -> int:
        """Items of this selection that wait for nothing more."""
        return len(self._items) - len(self._waiting)

    @property
    def total(self) -> int:
        """Items of this selection."""
        return len(self._items)

    @property
    def skipped(self) -> int:
        """Items of this selection that were passed over."""
        return sum(self.annotation(identity).skipped for identity in self._items)

    def press(self, key: str) -> str:
        """Do what a key says, note, help and quit apart; gives one line to show, empty for a key without meaning."""
        if key == "u":
            return self._undo()
        item = self.current
        if item is None:
            return ""
        if key == "s":
            self._store.skip(item.sample.id)
            self._waiting.pop(0)
            return f"{item.sample.id}: skipped"
        label = label_keys(item.sample.choices).get(key)
        return "" if label is None else self._label(item, label)

    def note(self, text: str) -> str:
        """Keep a remark on the current item; it stays on the screen."""
        if self.current is None:
            return ""
        self._store.note(self.current.sample.id, text.strip())
        return "note kept" if text.strip() else "note removed"

    def _label(self, item: Item, label: Label) -> str:
        self._store.label(item.sample.id, label)
        self._waiting.pop(0)
        return f"{item.sample.id}: {label.category}"

    def _undo(self) -> str:
        identity = self._store.undo()
        if identity is None:
            return "nothing to undo"
        if identity not in self._items:
            return f"undone: {identity}, which is not in this selection"
        if not self._done(identity, revisit_skipped=True) and identity not in self._waiting:
            self._waiting.insert(0, identity)
        return f"undone: {identity}"
