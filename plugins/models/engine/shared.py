"""The fast path: what rows share is computed once, logits only where something is scored."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from . import header as headers
from .attention import Memory, Pass, trees_attended
from .head import Head
from .items import CannotShare, Likelihood, Row
from .last import LastLayer
from .memory import Budget, halving, keep_pages
from .packing import divide, level, token_count
from .tree import Asked, Tree, gather, grow

if TYPE_CHECKING:
    import torch

WIDTH = {"cpu": 128}
"""Tokens a tree may hold although its rows share nothing; elsewhere :data:`WIDE`."""
WIDE = 1024


class SharedScorer:
    """Scores rows with a causal model whose attention can be replaced.

    Raises:
        CannotShare: the model is of a kind that this does not work for; says why.
    """

    def __init__(self, model: Any, device: str, budget: Budget) -> None:
        refuse(model)
        self.model = model
        self.device, self.budget = device, budget
        if device == "cpu":
            keep_pages()
        self._head = Head(self.model)
        self._last = LastLayer(self.model)
        self._causal = self.model.config._attn_implementation != "eager"
        self._header: tuple[int, ...] = ()
        self._memory = Memory(0)

    def score(self, rows: Sequence[Row], first: Collection[int] = ()) -> Iterator[tuple[int, Likelihood]]:
        """For each row its index and how likely it is, as each batch is done; those at ``first`` in the first ones."""
        self._settle_header(rows)
        size = len(self._header)
        asked = [Asked.of(i, row, size if self._begins(row) else 0) for i, row in enumerate(rows)]
        asked.sort(key=lambda a: (a.header, a.tail))
        width = WIDTH.get(self.device, WIDE)
        trees = list(grow(asked, width, self.model.config.get_text_config().hidden_size))
        for batch in self._batches(trees, set(first)):
            for done in halving(self._run, batch, len, self.budget):
                yield from done.items()

    def lend(self, rows: Sequence[Row], first: Row, cache: Any) -> None:
        """Take what the rows begin with from a plain pass over some of them, where it has kept all of it.

        Args:
            rows: what will be scored.
            first: the row at the head of that pass.
            cache: where it kept its keys and values.
        """
        text = self.model.config.get_text_config()
        # DeepSeek and kin keep them compressed, and their attention is given others.
        if getattr(text, "kv_lora_rank", None):
            return
        header = headers.find(rows)
        memory = Memory.of(cache, text.num_hidden_layers, len(header))
        if header and memory is not None and first.context[: len(header)] == header:
            self._header, self._memory = header, memory

    def _settle_header(self, rows: Sequence[Row]) -> None:
        """Keep, shorten or compute anew what the rows begin with."""
        length = headers.shorten(self._header, rows)
        if length:
            self._header, self._memory.length = self._header[:length], length
            return
        self._header = headers.find(rows)
        self._memory = Memory(len(self._header))
        if self._header:
            chain = Tree()
            chain.add(Asked.of(0, Row(self._header, (0,)), 0))
            self._forward(Pass([chain], self._memory, keeping=True, causal=self._causal))

    def _begins(self, row: Row) -> bool:
        size = len(self._header)
        return len(row.context) > size and row.context[:size] == self._header

    def _batches(self, trees: Sequence[Tree], first: set[int]) -> list[list[Tree]]:
        """Batches of the same size, or nearly, with those in front that hold the rows at ``first``."""
        batches = [[trees[i] for i in group] for group in divide([len(tree) for tree in trees], self.budget.tokens)]
        # Of the others the largest: what memory lacks, it lacks at once.
        batches.sort(key=lambda batch: (all(first.isdisjoint(tree.places) for tree in batch), -token_count(batch)))
        if self.device == "cpu":
            level(batches)
        return batches

    def _run(self, trees: Sequence[Tree]) -> dict[int, Likelihood]:
        """One batch: the likelihood of the row at each place."""
        import torch

        positions, slots, tokens, places = gather(trees)
        run = Pass(trees, self._memory, causal=self._causal, wanted=self._last.wanted(trees))
        with torch.inference_mode():
            states = self._forward(run)[torch.tensor(positions, device=self.device)]
            nats, likeliest = self._head.score(
                states, torch.tensor(slots, device=self.device), torch.tensor(tokens, device=self.device)
            )
        sums, greedy = dict.fromkeys(places, 0.0), dict.fromkeys(places, True)
        for place, value, best in zip(places, nats.tolist(), likeliest.tolist(), strict=True):
            sums[place] += value
            greedy[place] &= best
        return {place: Likelihood(sums[place], greedy[place]) for place in sums}

    def _forward(self, run: Pass) -> torch.Tensor:
        """Last hidden states of all trees end to end, zeros where nothing is wanted: [tokens, hidden]."""
        import torch

        tokens = [token for tree in run.trees for token in tree.tokens]
        depths = [depth for tree in run.trees for depth in tree.depths]
        with torch.inference_mode(), trees_attended(self.model, run), self._last.cut(run):
            found = self.model.base_model(
                input_ids=torch.tensor([tokens], device=self.device),
                position_ids=torch.tensor([depths], device=self.device), use_cache=False,
            )  # fmt: skip
        if not run.layers:
            raise CannotShare("its attention does not go through transformers' interface")
        states: torch.Tensor = found.last_hidden_state[0]
        return states


def refuse(model: Any) -> None:
    """Say no to models that cannot work: what can be known without running them.

    Raises:
        CannotShare: with the reason.
    """
    if not hasattr(model, "base_model"):
        raise CannotShare("it is no plain transformers model: trained vectors stand in front of its text")
    text = model.config.get_text_config()
    if model.config.is_encoder_decoder:
        raise CannotShare("encoder-decoder")
    if "position_ids" not in inspect.signature(model.base_model.forward).parameters:
        raise CannotShare("positions cannot be given to it (ALiBi or state space)")
    if not model._supports_attention_backend:
        raise CannotShare("its attention does not go through transformers' interface")
    odd = set(getattr(text, "layer_types", None) or ()) - {"full_attention", "sliding_attention"}
    if odd:
        raise CannotShare(f"layers of the kind {', '.join(sorted(odd))}")
    if model.get_output_embeddings() is None:
        raise CannotShare("no output layer of its own")
