"""``hf:PATH_OR_ID``: language models on transformers, quantised or not, with or without an adapter."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from benchctl.errors import BadConfig
from benchctl.fingerprints import digest
from benchctl.hookspecs import hookimpl
from benchctl.model import Model, ModelArgs
from benchctl.types import ChoiceScore, Choose, Generate, Kind, Perplexity, Response, Usage
from benchctl.written import WAY

from . import hf_load, streaming
from .encoding import Encoder
from .engine.engine import Engine
from .engine.head import COLUMNS
from .engine.items import Row
from .engine.memory import batch_budget, writing_budget
from .engine.plain import PlainEngine
from .engine.products import block
from .seq2seq import Seq2SeqEncoder, Seq2SeqEngine
from .settings import Settings
from .thinking import UNKNOWN, Thinking
from .weights import Weights


class HFModel(Model):
    """Models on transformers: a folder or hub id. Options: quant, adapter, merge, dtype, device, revision, chat, ..."""

    capabilities: ClassVar[frozenset[Kind]] = frozenset({"choose", "generate", "perplexity"})

    def __init__(self, args: ModelArgs) -> None:
        self.settings = Settings.read(args)
        self.weights = Weights.of(self.settings)
        self.folder, self._config = self.weights.folder, self.weights.config
        self.device, self.dtype = self.weights.device, self.weights.dtype
        self._measured: dict[str, Any] = {}
        self.name = self.weights.label_of_base + self.weights.label

    @property
    def _tokenizer_folder(self) -> Path:
        """The adapter's folder when it brings a tokenizer: it was trained with that one; the base's otherwise."""
        adapter = self.weights.adapter
        return adapter.folder if adapter and (adapter.folder / "tokenizer_config.json").is_file() else self.folder

    @cached_property
    def tokenizer(self) -> Any:
        """The model's tokenizer, which does not need the weights."""
        return hf_load.load_tokenizer(self._tokenizer_folder, self.settings, self._config)

    @property
    def prompt_style(self) -> str:  # type: ignore[override]
        """``chat`` when the tokenizer has a chat template, unless the option ``chat`` says otherwise.

        Raises:
            BadConfig: ``chat=on`` without a template.
        """
        has = bool(getattr(self.tokenizer, "chat_template", None))
        if self.settings.chat == "on" and not has:
            raise BadConfig(f"'{self.settings.target}' has no chat template.", "Leave out chat=on.")
        return "chat" if has and self.settings.chat != "off" else "text"

    @cached_property
    def encoder(self) -> Encoder:
        """Text to token ids, for this model's context length."""
        length = self.settings.max_length or context_length(self._config, self.tokenizer)
        kind = Seq2SeqEncoder if self._config.is_encoder_decoder else Encoder
        return kind(self.tokenizer, length - self.weights.virtual_tokens, self._thinking())

    def _thinking(self) -> Thinking:
        """What the chat template is told.

        Raises:
            BadConfig: something was asked for that it does not know.
        """
        wanted, chats = self.settings.thinking, self.prompt_style == "chat"
        found = Thinking.of(self.tokenizer, wanted) if chats else UNKNOWN
        if wanted != "auto" and not found.known:
            why = "whose chat template has no switch for it" if chats else "which is asked without a chat template"
            raise BadConfig(f"thinking={wanted} cannot be told to '{self.settings.target}', {why}.", "Leave it out.")
        return found

    @cached_property
    def engine(self) -> Engine:
        """The loaded model; loading happens here, at the first request."""
        started = time.perf_counter()
        model = self.weights.load()
        block(model, COLUMNS)
        self._measured["load_seconds"] = round(time.perf_counter() - started, 2)
        budgets = (budget(model, self.device, self.settings.batch_tokens) for budget in (batch_budget, writing_budget))
        if self._config.is_encoder_decoder:
            return Engine(Seq2SeqEngine(model, self.tokenizer, self.device, *budgets)).plainly("encoder-decoder")
        engine = Engine(PlainEngine(model, self.tokenizer, self.device, *budgets))
        return engine if self.weights.shareable else engine.plainly("vectors in front of every text")

    @cached_property
    def _hashes(self) -> dict[str, str]:
        return {
            "weights": hf_load.weights_hash(self.folder, self.settings.allow_pickle),
            "tokenizer": hf_load.tokenizer_hash(self._tokenizer_folder),
        }

    def fingerprint(self) -> str:
        """Weights, quantisation, adapter, tokenizer, template use, dtype, context length, drawing; not the device."""
        parts = [self._hashes, self.dtype, self.prompt_style, self.encoder.max_length, self.weights.identity()]
        parts += [self._drawing(), self._thought(), "prompts left open" if self.encoder.ending else None]
        return digest([part for part in parts if part])

    def manifest(self) -> Mapping[str, Any]:
        """What was loaded, where, and what was measured of it."""
        return {
            **self._measured, **self.weights.manifest(),
            "dtype": self.dtype, "device": self.device, "revision": self._revision(),
            "architecture": next(iter(self._config.architectures or ["?"])), "max_length": self.encoder.max_length,
            "weights_hash": self._hashes["weights"], "tokenizer_hash": self._hashes["tokenizer"],
            "chat_template": digest(self.tokenizer.chat_template) if self.prompt_style == "chat" else None,
            **self._drawing(), **self._thought(), "writing": WAY,
            **(self.engine.manifest() if "engine" in self.__dict__ else {}),
        }  # fmt: skip

    def reads(self, request: Choose | Generate) -> str:
        """The text behind the model's own template, without the special tokens that its tokenizer adds."""
        return self.encoder.render(request.prompt, free=isinstance(request, Generate))

    def temperature(self, request: Generate) -> float:
        """The model's option, or the task's."""
        return request.temperature if self.settings.temperature is None else self.settings.temperature

    def _revision(self) -> str | None:
        """The commit of a hub model: its snapshot folder is named after it."""
        return self.folder.name if self.folder.parent.name == "snapshots" else self.settings.revision

    def _drawing(self) -> dict[str, Any]:
        """What was asked for besides the task's own temperature: empty, unless something was."""
        own = self.settings
        temperature = {} if own.temperature is None else {"temperature": own.temperature}
        return {**temperature, **({"seed": own.seed} if own.seed else {})}

    def _thought(self) -> dict[str, str]:
        """Empty where the template knows of no thinking."""
        return {"thinking": self.encoder.thinking.wanted} if self.encoder.thinking.known else {}

    def choose(self, requests: Sequence[Choose]) -> Iterator[tuple[int, Response]]:
        """Log-likelihoods of the choices; one that does not fit the context is an error."""
        asked: list[tuple[int, int, list[int]]] = []
        unfit: list[streaming.Encoded] = []

        def items() -> Iterator[Sequence[Row]]:
            for encoded in streaming.choices(self.encoder, requests):
                if encoded.error is not None:
                    unfit.append(encoded)
                    continue
                asked.append((encoded.index, encoded.cut, [len(row.continuation) for row in encoded.rows]))
                yield encoded.rows

        clock = _Clock()
        for place, found in self.engine.score(items()):
            index, cut, sizes = asked[place]
            scores = (
                ChoiceScore(f.nats, size, len(choice.lstrip().encode()), f.greedy)
                for f, size, choice in zip(found, sizes, requests[index].choices, strict=True)
            )
            yield index, Response(tuple(scores), cut=cut, seconds=clock.lap())
        yield from ((encoded.index, Response(error=encoded.error)) for encoded in unfit)

    def perplexity(self, requests: Sequence[Perplexity]) -> Iterator[tuple[int, Response]]:
        """Summed log-likelihoods of whole texts, long ones in windows."""
        sizes: list[int] = []
        self._measured["perplexity_window"] = {"tokens": self.encoder.max_length, "stride": self.encoder.stride}

        def items() -> Iterator[Sequence[Row]]:
            for encoded in streaming.texts(self.encoder, requests):
                sizes.append(sum(len(row.continuation) for row in encoded.rows))
                yield encoded.rows

        clock = _Clock()
        for index, found in self.engine.score(items()):
            size = len(requests[index].text.encode())
            detail = {"windows": len(found)} if len(found) > 1 else {}
            nats = sum(f.nats for f in found)
            yield index, Response(nats=nats, tokens=sizes[index], bytes=size, seconds=clock.lap(), detail=detail)

    def generate(self, requests: Sequence[Generate]) -> Iterator[tuple[int, Response]]:
        """Free answers, greedy unless a temperature is given.

        What is drawn after a prompt depends on the seed, the prompt and the number of the draw alone.
        """
        requests = [replace(request, temperature=self.temperature(request)) for request in requests]
        encoded = self.encoder.generate(requests)
        seeds = [int(digest([self.settings.seed, r.prompt, r.draw])[:15], 16) for r in requests]
        prompts = [replace(prompt, seed=seed) for (prompt, _), seed in zip(encoded, seeds, strict=True)]
        clock = _Clock()
        for index, written in self.engine.generate(prompts):
            prompt, cut = encoded[index]
            templated = not isinstance(requests[index].prompt, str)
            text = self.encoder.thinking.whole(written.text) if templated else written.text
            usage = Usage(len(prompt.tokens), written.tokens)
            spent, why = clock.lap(), written.finish_reason
            yield (
                index,
                Response(text=text, finish_reason=why, usage=usage, cut=cut, seconds=spent, error=written.error),
            )

    def close(self) -> None:
        """Drop the weights, or leave the base to a model that differs only in its adapter."""
        self.__dict__.pop("engine", None)
        self.weights.close()


class _Clock:
    """Wall time since the last answer: an answer's share of its batch, all together the time of the run."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        now = time.perf_counter()
        seconds, self._last = now - self._last, now
        return round(seconds, 6)


def context_length(config: Any, tokenizer: Any) -> int:
    """Tokens the model can take: what its configuration says, else what its tokenizer says, else 2048."""
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    for name in ("n_positions", "max_position_embeddings", "n_ctx", "max_seq_len"):
        found = getattr(text, name, None)
        if isinstance(found, int) and found > 0:
            return found
    found = tokenizer.model_max_length
    return int(found) if found and found < 10**9 else 2048


@hookimpl
def benchctl_models() -> Mapping[str, type[Model]]:
    """The backend."""
    return {"hf": HFModel}
