"""Nearness in meaning by a model of choice: BERTScore, and the cosine of mean embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from benchctl.errors import BadConfig, ModelCallError
from benchctl.hookspecs import hookimpl
from benchctl.metric import Metric, Scored
from benchctl.model import ModelArgs
from benchctl.types import Estimate

from ..models.quiet import quiet
from .texts import Figures, Pair, imported, pair

_LOADING = (OSError, ValueError, AssertionError, IndexError, RuntimeError)
"""What the libraries raise where there is no such model, layer or device."""


class _OfModel(Figures):
    """Base of both: compares all pairs in one go and remembers them."""

    default: str
    """Model on the hub, used when the spec names none."""
    defaults: Mapping[str, str] = {"batch": "32", "device": "cpu"}
    figures: Sequence[str]
    """Their names."""

    def __init__(self, args: ModelArgs | None = None) -> None:
        """Read the spec; the model loads when first needed.

        Raises:
            BadConfig: an unknown option, or one that is no number.
        """
        args = args or ModelArgs(self.name, kind="metric")
        self.model = args.target or self.default
        self.options = args.take(self.defaults)
        self.batch = self.number("batch") or 32
        self._known: dict[Pair, Mapping[str, float]] = {}

    def number(self, option: str) -> int | None:
        """An option as a whole number from 1; None when it is empty."""
        given = self.options[option]
        if given and not (given.isdecimal() and int(given)):
            raise BadConfig(f"Metric '{self.name}': {option}={given} is no number from 1.", f"Write {option}=N.")
        return int(given) if given else None

    def compare(self, pairs: Sequence[Pair]) -> Sequence[Mapping[str, float]]:
        """The figures of each pair, whose texts are not empty."""
        raise NotImplementedError

    def learn(self, pairs: Sequence[Pair]) -> None:
        """Compare pairs and remember their figures: 0 for an empty answer, which some tokenizers make nothing of."""
        spoken = [p for p in pairs if _shows(p.text)]
        self._known.update((p, dict.fromkeys(self.figures, 0.0)) for p in pairs if not _shows(p.text))
        if spoken:
            self._known.update(zip(spoken, self.compare(spoken), strict=True))

    def values(self, scored: Scored) -> Mapping[str, float]:
        """This sample's figures; empty without a reference."""
        compared = pair(scored)
        if compared is None:
            return {}
        if compared not in self._known:
            self.learn([compared])
        return self._known[compared]

    def estimates(self, scored: Sequence[Scored]) -> Mapping[str, Estimate]:
        """The mean of each figure with its interval."""
        pairs = dict.fromkeys(p for one in scored if (p := pair(one)) is not None and p not in self._known)
        self.learn(list(pairs))
        return super().estimates(scored)


class BertScore(_OfModel):
    """BERTScore (Zhang et al. 2020): tokens matched by their contextual vectors. ``bertscore:MODEL,layers=N``."""

    name = "bertscore"
    default = "bert-base-multilingual-cased"
    defaults = {"layers": "", **_OfModel.defaults}
    figures = ("bertscore_precision", "bertscore_recall", "bertscore_f1")

    def __init__(self, args: ModelArgs | None = None) -> None:
        super().__init__(args)
        self.layers = self.number("layers")

    @cached_property
    def scorer(self) -> Any:
        """The library's scorer with the model loaded.

        Raises:
            BadConfig: no layer given for a model that the library knows none of.
            ModelCallError: the model cannot be loaded, or has no such layer.
        """
        from bert_score import BERTScorer
        from bert_score.utils import model2layers

        if self.layers is None and self.model not in model2layers:
            raise BadConfig(
                f"BERTScore knows no best layer of '{self.model}'.", f"Write bertscore:{self.model},layers=N."
            )
        try:
            with quiet():
                scorer = BERTScorer(
                    self.model, num_layers=self.layers, batch_size=self.batch, device=self.options["device"], nthreads=0
                )
        except _LOADING as error:
            raise _cannot_load("bertscore", self.model, error) from error
        _fit(scorer._tokenizer, scorer._model)
        return scorer

    def compare(self, pairs: Sequence[Pair]) -> Sequence[Mapping[str, float]]:
        """Precision, recall and F1 as the library gives them, without idf weights and baseline."""
        parts = self.scorer.score([p.text for p in pairs], [p.reference for p in pairs], batch_size=self.batch)
        rows = zip(*(part.tolist() for part in parts), strict=True)
        return [dict(zip(self.figures, row, strict=True)) for row in rows]

    def signature(self) -> str:
        """The library's own hash: model, layer, versions."""
        return str(self.scorer.hash)


class Similarity(_OfModel):
    """Cosine of the mean last-layer vectors of answer and reference (Reimers and Gurevych 2019)."""

    name = "similarity"
    default = "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"
    figures = (name,)

    @cached_property
    def parts(self) -> tuple[Any, Any]:
        """Tokenizer and model."""
        from transformers import AutoModel, AutoTokenizer

        try:
            with quiet():
                tokenizer = AutoTokenizer.from_pretrained(self.model)
                model = AutoModel.from_pretrained(self.model).to(self.options["device"]).eval()
        except _LOADING as error:
            raise _cannot_load("similarity", self.model, error) from error
        _fit(tokenizer, model)
        return tokenizer, model

    def compare(self, pairs: Sequence[Pair]) -> Sequence[Mapping[str, float]]:
        """The cosine, between -1 and 1."""
        import torch

        given = self._vectors([p.text for p in pairs])
        wanted = self._vectors([p.reference for p in pairs])
        return [{self.name: float(c)} for c in torch.nn.functional.cosine_similarity(given, wanted)]

    def _vectors(self, texts: Sequence[str]) -> Any:
        """One vector per text (texts, width); tokens beyond the model's length do not count."""
        import torch

        tokenizer, model = self.parts
        found = []
        for start in range(0, len(texts), self.batch):
            part = list(texts[start : start + self.batch])
            tokens = tokenizer(part, padding=True, truncation=True, return_tensors="pt")
            with torch.inference_mode():
                hidden = model(**tokens.to(model.device)).last_hidden_state
            mask = tokens["attention_mask"][..., None].to(hidden.dtype)
            found.append((hidden * mask).sum(1) / mask.sum(1).clamp(min=1))
        return torch.cat(found)

    def signature(self) -> str:
        """Model, commit and library version."""
        from importlib.metadata import version

        commit = getattr(self.parts[1].config, "_commit_hash", None) or "local"
        return f"{self.model} ({commit}), mean of the last layer, empty 0, transformers {version('transformers')}"


def _shows(text: str) -> bool:
    """Whether anything of it is seen: tokenizers drop signs without width too, as the byte order mark."""
    return any(sign.isprintable() and not sign.isspace() for sign in text)


def _fit(tokenizer: Any, model: Any) -> None:
    """Have a tokenizer pad, and cut at the model's room.

    Llama's and GPT-2's have no padding token; which one it is is all the same, for it is masked. BERTimbau's and others
    tell no length. Models of RoBERTa's kind count positions from behind the padding's: so many rows of their table are
    no token's.
    """
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    room = getattr(model.config, "max_position_embeddings", None) or 512
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    skipped = getattr(table, "padding_idx", None)
    tokenizer.model_max_length = min(tokenizer.model_max_length, room if skipped is None else room - skipped - 1)


def _cannot_load(metric: str, model: str, error: Exception) -> ModelCallError:
    reason = " ".join(str(error).split())[:160]
    return ModelCallError(
        f"The model '{model}' cannot be loaded ({reason}).",
        f"Give a folder or a hub id: --metric {metric}:PATH. Or another device=.",
    )


def bertscore(args: ModelArgs | None = None) -> Metric:
    """BERTScore precision, recall and F1 against the reference: bertscore:MODEL,layers=N.

    Raises:
        MissingExtra: bert-score is not installed.
    """
    imported("bert_score", "BERTScore")
    return BertScore(args)


def similarity(args: ModelArgs | None = None) -> Metric:
    """Cosine of the mean embeddings of answer and reference: similarity:MODEL.

    Raises:
        MissingExtra: transformers is not installed.
    """
    imported("transformers", "similarity", "hf")
    return Similarity(args)


@hookimpl
def benchctl_metrics() -> Mapping[str, Any]:
    """Both."""
    return {"bertscore": bertscore, "similarity": similarity}
