"""``lm-eval:BACKEND,key=value``: any model class of lm-evaluation-harness (vllm, sglang, gguf, ...) as a model here.

The other way round, ``BenchctlLM("hf:PATH")`` from this module is any model of benchctl as an ``LM`` of lm-eval.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from benchctl.errors import BadConfig, ModelCallError, UnknownName
from benchctl.fingerprints import digest, digest_all, file_digest
from benchctl.hookspecs import hookimpl
from benchctl.model import Model, ModelArgs
from benchctl.types import ChoiceScore, Choose, Generate, Kind, Perplexity, Prompt, Response

from .. import harness
from .openai_api.secrets import refuse_secrets

if TYPE_CHECKING:
    from .benchctl_lm import BenchctlLM as BenchctlLM

OWN_OPTIONS: Mapping[str, str] = {"chat": "off", "chunk": "64"}
"""Options that are not passed on. ``chat``: through the model's chat template. ``chunk``: questions put at once, and
written down together; lm-eval sorts and batches within a chunk."""

WITHOUT_EFFECT = ("device", "batch_size", "max_batch_size")
"""Options that change the speed and not the answers: no part of the fingerprint."""

PLACES = ("peft", "pretrained", "model", "path", "delta", "tokenizer")
"""Options that may name a folder or a file by a single word; the first four, in this order, name the model."""


class LmEvalModel(Model):
    """lm-eval:BACKEND: any model class of lm-evaluation-harness; its options are passed on, e.g. pretrained=PATH."""

    capabilities: ClassVar[frozenset[Kind]] = frozenset({"choose", "generate", "perplexity"})

    def __init__(self, args: ModelArgs) -> None:
        if not args.target:
            raise BadConfig(f"Model '{args.spec}' names no lm-eval model.", "Write lm-eval:hf,pretrained=PATH.")
        refuse_secrets(args, "lm-eval reads OPENAI_API_KEY, ANTHROPIC_API_KEY and HF_TOKEN there.")
        harness.require(f"Model '{args.spec}'")
        from lm_eval.models import MODEL_MAPPING

        if args.target not in MODEL_MAPPING:
            raise UnknownName("lm-eval model", args.target, MODEL_MAPPING, "lm-eval run --help")
        own = {name: args.options.get(name, default) for name, default in OWN_OPTIONS.items()}
        if own["chat"] not in ("on", "off") or not own["chunk"].isdigit() or not int(own["chunk"]):
            raise BadConfig(f"Model '{args.spec}' has an impossible option.", "Write chat=on or off, chunk=64.")
        self.backend, self.chunk = args.target, int(own["chunk"])
        self.options = {name: value for name, value in args.options.items() if name not in OWN_OPTIONS}
        self.prompt_style = "chat" if own["chat"] == "on" else "text"
        known = next((self.options[k] for k in PLACES[:4] if k in self.options), args.target)
        self.name = Path(known).resolve().name if Path(known).exists() else known

    @cached_property
    def lm(self) -> Any:
        """lm-eval's own model object; loading happens here, at the first request.

        Raises:
            ModelCallError: it cannot be loaded.
        """
        from lm_eval.api.registry import get_model

        try:
            backend = get_model(self.backend)
            options = {**_device(backend, self.options), **self.options}
            return backend.create_from_arg_string(",".join(f"{name}={value}" for name, value in options.items()))
        except Exception as error:  # thirty backends of other people: whatever they raise means the same
            reason = " ".join(str(error).split())[:200]
            raise ModelCallError(
                f"lm-eval's model '{self.backend}' cannot be loaded ({type(error).__name__}: {reason}).",
                "Its options are those of lm-eval's --model_args; its package must be installed.",
            ) from error

    @cached_property
    def _files(self) -> dict[str, str]:
        """Option -> sha256 of the file or folder it names, for those that name one."""
        named = {n: value for n, value in self.options.items() if n in PLACES or "/" in value or "." in value}
        paths = {name: Path(value).expanduser() for name, value in named.items()}
        return {name: _hash(path) for name, path in paths.items() if path.exists()}

    def fingerprint(self) -> str:
        """lm-eval's version, the backend, its options, and the contents of local files instead of their paths."""
        import lm_eval

        asked = {name: value for name, value in self.options.items() if name not in WITHOUT_EFFECT}
        return digest([lm_eval.__version__, self.backend, {**asked, **self._files}, self.prompt_style])

    def manifest(self) -> Mapping[str, Any]:
        """The backend and its options, hashes of local files, and what the loaded model says of itself."""
        import lm_eval

        found = {
            "path": f"lm-eval {lm_eval.__version__}: {self.backend}",
            "options": self.options,
            "files": self._files,
        }
        model: Any = getattr(self.__dict__.get("lm"), "model", None)
        if hasattr(model, "num_parameters"):
            found |= {"parameters": model.num_parameters(), "dtype": str(model.dtype).removeprefix("torch.")}
        return found

    def choose(self, requests: Sequence[Choose]) -> Iterator[tuple[int, Response]]:
        """Log-likelihoods of the choices, by ``loglikelihood``."""
        sizes = [len(request.choices) for request in requests]
        for places in _chunks(sizes, self.chunk):
            asked = [[(self._text(requests[i].prompt), c) for c in requests[i].choices] for i in places]
            for place, replies, seconds in self._ask("loglikelihood", places, asked):
                if isinstance(replies, str):
                    yield place, Response(error=replies)
                    continue
                request = requests[place]
                counts = [self._count(self._text(request.prompt), choice) for choice in request.choices]
                scores = tuple(
                    ChoiceScore(nats, tokens, len(choice.lstrip().encode()), bool(greedy))
                    for (nats, greedy), (tokens, _), choice in zip(replies, counts, request.choices, strict=True)
                )
                yield place, Response(scores, cut=max(cut for _, cut in counts), seconds=seconds)

    def generate(self, requests: Sequence[Generate]) -> Iterator[tuple[int, Response]]:
        """Free answers, by ``generate_until``."""
        for places in _chunks([1] * len(requests), self.chunk):
            asked = [[(self._text(requests[i].prompt), _arguments(requests[i]))] for i in places]
            for place, replies, seconds in self._ask("generate_until", places, asked):
                if isinstance(replies, str):
                    yield place, Response(error=replies)
                else:
                    yield place, Response(text=replies[0], seconds=seconds)

    def perplexity(self, requests: Sequence[Perplexity]) -> Iterator[tuple[int, Response]]:
        """Summed log-likelihoods of texts: by ``loglikelihood`` after nothing, or by ``loglikelihood_rolling``.

        Raises:
            BadConfig: the first token is only to condition: lm-eval always puts a token in front.
        """
        if any(not request.score_first for request in requests):
            raise BadConfig(
                f"lm-eval cannot leave the first token of a text unscored, as is wanted here of {self.name}.",
                "Use the model without lm-eval, as hf:PATH, or another --scoring.",
            )
        for places in _chunks([1] * len(requests), self.chunk):
            for rolling in (False, True):
                some = [i for i in places if requests[i].rolling is rolling]
                method = "loglikelihood_rolling" if rolling else "loglikelihood"
                asked = [[(requests[i].text,) if rolling else ("", requests[i].text)] for i in some]
                for place, replies, seconds in self._ask(method, some, asked):
                    yield place, self._whole(requests[place], replies, seconds)

    def close(self) -> None:
        """Drop the model."""
        if self.__dict__.pop("lm", None) is not None:
            import gc

            gc.collect()

    def _whole(self, request: Perplexity, replies: list[Any] | str, seconds: float) -> Response:
        if isinstance(replies, str):
            return Response(error=replies)
        nats = replies[0] if request.rolling else replies[0][0]
        special = {} if request.rolling else {"add_special_tokens": False}
        tokens = len(self.lm.tok_encode(request.text, **special)) if hasattr(self.lm, "tok_encode") else 0
        return Response(nats=float(nats), tokens=tokens, bytes=len(request.text.encode()), seconds=seconds)

    def _ask(
        self, method: str, places: Sequence[int], asked: Sequence[Sequence[tuple[Any, ...]]]
    ) -> Iterator[tuple[int, list[Any] | str, float]]:
        """One call for all, or one each where that fails; yields place, replies (or why there are none), seconds."""
        from lm_eval.api.instance import Instance

        started = time.perf_counter()
        instances = [Instance(method, {}, args, n) for one in asked for n, args in enumerate(one)]
        if not instances:
            return
        try:
            replies = iter(getattr(self.lm, method)(instances))
        except NotImplementedError as error:
            hint = "Chat services give no log-likelihoods: use --scoring generate."
            raise ModelCallError(f"lm-eval's model '{self.backend}' cannot do '{method}'.", hint) from error
        except ModelCallError:
            raise
        except Exception as error:  # of any kind: this question has no answer, the others may
            if len(places) == 1:
                yield places[0], _why(error), 0.0
            else:
                for place, one in zip(places, asked, strict=True):
                    yield from self._ask(method, [place], [one])
            return
        seconds = round((time.perf_counter() - started) / len(places), 6)
        for place, one in zip(places, asked, strict=True):
            yield place, [next(replies) for _ in one], seconds

    def _text(self, prompt: Prompt) -> Any:
        if isinstance(prompt, str):
            return prompt
        return self.lm.apply_chat_template([{"role": m.role, "content": m.content} for m in prompt])

    def _count(self, prompt: Any, choice: str) -> tuple[int, int]:
        """Tokens of the choice, and of the prompt dropped on the left; 0 where the backend does not tell."""
        if not hasattr(self.lm, "_encode_pair") or not isinstance(prompt, str):
            return 0, 0
        if prompt:
            context, continuation = self.lm._encode_pair(prompt, choice)
        else:
            context, continuation = [0], self.lm.tok_encode(choice, add_special_tokens=False)
        return len(continuation), max(0, len(context) + len(continuation) - int(self.lm.max_length) - 1)


def _why(error: Exception) -> str:
    kind, said = type(error).__name__, " ".join(str(error).split())[:200]
    if not said and isinstance(error, AssertionError):  # how lm-eval refuses them
        return f"{kind}, with no reason given: is the text longer than the model's context?"
    return f"{kind}: {said}"


def _device(backend: Any, given: Mapping[str, str]) -> dict[str, str]:
    """lm-eval's classes take a CUDA device for granted; where there is none, what there is."""
    from inspect import signature
    from sys import modules

    torch = modules.get("torch")
    if torch is None or "device" in given or "device" not in signature(backend.__init__).parameters:
        return {}
    return {} if torch.cuda.is_available() else {"device": "mps" if torch.backends.mps.is_available() else "cpu"}


def _arguments(request: Generate) -> dict[str, Any]:
    sampled = request.temperature > 0
    asked = {"until": list(request.stop), "max_gen_toks": request.max_tokens, "do_sample": sampled}
    return {**asked, "temperature": request.temperature} if sampled else asked


def _chunks(sizes: Sequence[int], limit: int) -> Iterator[list[int]]:
    """Neighbouring places whose sizes add up to no more than the limit, or a single larger one."""
    places: list[int] = []
    for place, size in enumerate(sizes):
        if places and sum(sizes[p] for p in places) + size > limit:
            yield places
            places = []
        places.append(place)
    if places:
        yield places


def _hash(path: Path) -> str:
    if path.is_file():
        return digest_all([[path.name, file_digest(path)]])
    files = sorted(file for file in path.rglob("*") if file.is_file())
    kept = [file for file in files if ".cache" not in file.relative_to(path).parts]  # the hub client's notes
    return digest_all([file.name, file_digest(file)] for file in kept)


def __getattr__(name: str) -> Any:
    """``BenchctlLM``, which needs lm-eval, only when it is asked for."""
    if name == "BenchctlLM":
        from .benchctl_lm import BenchctlLM

        return BenchctlLM
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@hookimpl
def benchctl_models() -> Mapping[str, type[Model]]:
    """The bridge."""
    return {"lm-eval": LmEvalModel}
