"""The whole design on a page: what is asked, what is answered, and what is written down about it.

Every dataclass is frozen and made of plain values, so that it can be hashed, compared, pickled to a worker and written
as JSON. Log-likelihoods are in nats (natural logarithm), times in seconds, sizes in the unit the field names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

LATER: Mapping[str, bool] = {"later": True}
"""Of a field that came to its dataclass later: fingerprints leave it out while it has its default, so that those made
before are still found."""

BESIDE: Mapping[str, bool] = {"beside": True}
"""Of a field that no fingerprint has, since it says nothing of what is asked."""

Kind = Literal["choose", "generate", "perplexity"]
"""The three things a model can be asked; also the names of the methods of :class:`benchctl.model.Model`."""

OUTCOMES = ("choice", "invented", "multiple", "refusal", "none")
"""What the answer to a multiple-choice question can be; see docs/extraction.md for what each means."""

STATUSES = ("complete", "incomplete", "interrupted", "running")
"""A run is complete when every sample is answered, incomplete when some model calls failed for good."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One question of a task, or one of several times that it is asked."""

    id: str
    """Stable within the task's data: the row's own id, or its position from 0 in the file it was read from."""
    question: str
    """What is asked, without context and choices; for a perplexity task, the whole text."""
    choices: Mapping[str, str] = field(default_factory=dict)
    """Label -> option text as in the data, in the order shown; empty when the task is not multiple choice."""
    target: str = ""
    """The right label (multiple choice), the reference answer (free text), or empty."""
    context: str = ""
    """A passage the question is about; empty when there is none."""
    cluster: str | None = None
    """Samples with the same cluster share a passage and are not independent; None when they are."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else a metric needs of the row: text, numbers, lists; kept with the answer. ``metadata["row"]`` has the
    raw columns, for prompt templates; it is not kept, so no metric may rest on it."""
    repeat_of: str = ""
    """The question's id where it is asked several times (``--repeats``); empty where it is asked once."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


Prompt = str | tuple[Message, ...]
"""Plain text, or a conversation whose last turn is the user's: models that have a chat template get the second."""


@dataclass(frozen=True, slots=True)
class Choose:
    """Ask how likely each of several continuations of one prompt is. First-class, so the prompt is computed once."""

    prompt: Prompt
    choices: tuple[str, ...]
    """The continuations exactly as they follow the prompt, leading space included where there is one."""


@dataclass(frozen=True, slots=True)
class Generate:
    """Ask for a free answer."""

    prompt: Prompt
    stop: tuple[str, ...] = ()
    """The answer ends before the first of these."""
    max_tokens: int = 256
    temperature: float = 0.0
    """0 is greedy decoding, the default: the same answer every time."""
    draw: int = field(default=0, metadata=BESIDE)
    """Which of several answers to the prompt this is: each is drawn for itself."""


@dataclass(frozen=True, slots=True)
class Perplexity:
    """Ask how likely a whole text is."""

    text: str
    score_first: bool = True
    """True: the first token counts too, predicted from the model's beginning-of-text token. False: no such token is
    put in front and the first token only conditions the rest (the rule of the source study)."""
    rolling: bool = False
    """True: encoded and cut into windows as lm-eval's ``loglikelihood_rolling`` does, so that its perplexities can be
    reproduced: the tokenizer's own special tokens count as text, and windows overlap only at the end of the text."""


Request = Choose | Generate | Perplexity


@dataclass(frozen=True, slots=True)
class ChoiceScore:
    """How likely one continuation is."""

    nats: float
    """Sum of the log-likelihoods of its tokens, at most 0."""
    tokens: int
    """0 where the backend does not tell."""
    bytes: int
    """UTF-8 bytes of the continuation without its leading space."""
    greedy: bool | None = None
    """Whether greedy decoding would have written exactly this; None where the backend does not say."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a generated answer cost."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    """In the currency of the price table, when there is one."""


@dataclass(frozen=True, slots=True)
class Response:
    """What the model answered to one request: one of three parts is filled, or ``error``."""

    choices: tuple[ChoiceScore, ...] = ()
    """Answer to :class:`Choose`, in the order of its choices."""
    text: str | None = None
    """Answer to :class:`Generate`, as the model wrote it, without the stop string. Also the answer to a
    :class:`Choose` among labels from a backend that has no log-likelihoods; ``detail["choose_by"]`` then says so."""
    finish_reason: str | None = None
    """``stop``, ``length`` or what the server said."""
    usage: Usage | None = None
    nats: float | None = None
    """Answer to :class:`Perplexity`: sum over the scored tokens, at most 0."""
    tokens: int = 0
    """Scored tokens of a :class:`Perplexity` request."""
    bytes: int = 0
    """UTF-8 bytes of the text of a :class:`Perplexity` request."""
    cut: int = 0
    """Prompt tokens dropped on the left because the model's context is too short."""
    seconds: float = 0.0
    """Wall time of the call, or this sample's share of its batch."""
    error: str | None = None
    """Why there is no answer: the call failed for good. Never counted as a wrong answer."""
    asked: bool = True
    """False, beside an ``error``: nothing was sent, since the backend had stopped before, as at a limit of cost."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """What a backend wants kept beside the answer, such as how the choice was read from an API."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a scoring reads the responses to one sample."""

    label: str | None
    """The label taken (multiple choice) or the text taken (free answers); None when no option was named."""
    outcome: str
    """One of :data:`OUTCOMES`; ``text`` for free answers and perplexity tasks."""
    explanation: str = ""
    """Why: the span of the answer it rests on, or the labels from the likeliest down."""
    variants: Mapping[str, str] = field(default_factory=dict)
    """Other readings from the same responses, such as ``per_token`` and ``per_byte``."""


@dataclass(frozen=True, slots=True)
class Score:
    """One sample's result."""

    id: str
    values: Mapping[str, float]
    """Metric -> value for this sample, for metrics that have one per sample."""
    answer: str | None
    outcome: str
    explanation: str = ""
    cluster: str | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """One metric over a run, and how sure it is."""

    value: float
    n: int
    """Samples it rests on."""
    stderr: float | None
    low: float | None
    high: float | None
    """Bounds of the 95 % interval; None where the metric has no interval."""
    method: str
    """How the interval was computed, such as ``wilson`` or ``bootstrap-bca``."""
    higher_is_better: bool | None = True
    """None: neither more nor less is better, as of a length."""
    percent: bool = False
    """Shown as a percentage: the value is a share between 0 and 1."""


@dataclass(frozen=True, slots=True)
class RunSpec:
    """All that fixes a result and can be chosen; the fingerprints of :class:`RunRecord` say what it stood for."""

    task: str
    model: str
    """As given on the command line: a named model or ``BACKEND:ARGS``."""
    data: str | None = None
    """None: the task's hub dataset; ``builtin``; or a path."""
    scoring: str = "letter"
    shots: int = 0
    shots_data: str = "builtin"
    """Where few-shot examples come from: ``builtin`` (the package's own), ``hub`` (the training split), or a path."""
    seed: int = 0
    limit: int | None = None
    """Number of samples asked; None: all."""
    drawn: bool = False
    """Whether the ``limit`` samples are drawn over all with the seed, instead of the first ones."""
    prompt_template: str | None = None
    """Text of the template, not its path: the same words are the same run wherever the file lies."""
    skip_bad_rows: bool = False
    max_tokens: int = 256
    """Length limit of generated answers."""
    repeats: int = field(default=1, metadata=LATER)
    """Times each question is asked."""


FORMAT = 1
"""Version of the layout of ``run.json`` that this benchctl writes and reads."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The manifest of a run: ``run.json``."""

    id: str
    """Hash of the spec and the fingerprints: the same command finds its own folder."""
    spec: RunSpec
    status: str
    """One of :data:`STATUSES`."""
    fingerprints: Mapping[str, str]
    """``data``, ``model``, ``prompt``: sha256 of the samples, of what fixes the model's answers, of every request."""
    task: Mapping[str, Any]
    """Title, language, version, baseline and group facts of the task, for reports."""
    data: Mapping[str, Any]
    """Source, revision, ``total`` before ``limit``, skipped rows with reasons, normalised cells, builtin or not."""
    model: Mapping[str, Any]
    """What the model says of itself: parameters, dtype, device, weights and tokenizer hashes, scoring path."""
    versions: Mapping[str, str]
    hardware: Mapping[str, Any]
    timings: Mapping[str, Any]
    """``started`` and ``finished`` (UTC, ISO 8601), ``seconds`` in all sittings, ``sittings``."""
    counts: Mapping[str, Any]
    """``n`` samples, ``answered``, ``errors``, ``cut`` (prompts cut on the left), ``outcomes``, ``bad_rows``."""
    estimates: Mapping[str, Estimate]
    errors: tuple[Mapping[str, str], ...] = ()
    """The first failed calls: sample id and reason."""
    metrics: Mapping[str, str] = field(default_factory=dict)
    """Spec of every metric asked for (its name, or ``NAME:TARGET,key=value``) -> its signature. No part of the run's
    identity: metrics are computed from the answers and can be added to a finished run."""
    added: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Estimates that were added to the finished run, such as a judge's -> what made them. Rescoring keeps them. Under
    ``extraction``: the model that read what the rules could not, and how many answers."""
    prompt: Mapping[str, Any] = field(default_factory=dict)
    """What the model read for the first sample: its id as ``sample``, the finished prompt as ``text`` (with the first
    option, where whole texts are scored) and, where there are any, the ``choices`` scored behind it; empty in a
    corpus."""
    format: int = FORMAT
    """Version of this layout."""
