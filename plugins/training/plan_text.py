"""A plan in words."""

from __future__ import annotations

from .plan import Plan, adapter_said
from .refusals import BITS
from .wording import some

ORDERS = ((60, "s"), (3600, "min"), (86400, "h"), (float("inf"), "days"))


def lines(plan: Plan) -> list[str]:
    """One line per subject, its name in front."""
    said = {
        "study": plan.recipe.study, "base": _base(plan), "held": _held(plan), "method": _method(plan),
        "adapter": adapter_said(plan.recipe, plan.base), "parameters": _parameters(plan), "rows": _rows(plan),
        "prompt": _prompt(plan), "length": _length(plan), "learning": _learning(plan), "optimizer": _optimizer(plan),
        "every": _every(plan), "best": _best(plan), "memory": _memory(plan), "time": _time(plan),
    }  # fmt: skip
    head = f"{plan.recipe.name}: {plan.recipe.summary}" if plan.recipe.summary else plan.recipe.name
    return [
        head,
        *(f"  {name:<11} {text}" for name, text in said.items() if text),
        *(f"  {x}" for x in plan.data_lines),
    ]


def _base(plan: Plan) -> str:
    base, found = plan.recipe.model.base, plan.base
    if found is None:
        return f"{base}: not at hand, and its architecture is not known"
    what = found.model_type if found.name == base else f"{found.name}, {found.model_type}"
    return f"{base} ({what}; {'at hand' if found.at_hand else 'not at hand'})"


def _held(plan: Plan) -> str:
    model = plan.recipe.model
    if model.quant == "none":
        return "not quantised" + (f", {model.dtype}" if model.dtype != "auto" else "")
    if model.quant not in BITS or model.quant == "int8":
        return model.quant
    double = "double quantisation" if model.double_quant else "no double quantisation"
    computing = f", computing in {model.compute_dtype}" if model.compute_dtype != "auto" else ""
    return f"{model.quant}, {double}{computing}"


def _method(plan: Plan) -> str:
    dpo = f", beta {plan.recipe.training.beta:g}" if plan.recipe.objective == "dpo" else ""
    return f"{plan.recipe.method}, objective {plan.recipe.objective}{dpo}"


def _parameters(plan: Plan) -> str:
    p = plan.parameters
    if p is None:
        return "not known: the base is not at hand"
    return f"{_grouped(p.all)} in all, {_grouped(p.trainable)} trainable ({p.share:.3%})"


def _grouped(count: int) -> str:
    return f"{count:,}".replace(",", " ")


def _rows(plan: Plan) -> str:
    return "" if plan.data_lines else f"{plan.recipe.data.train}: {plan.length.rows_said}"


def _prompt(plan: Plan) -> str:
    data = plan.recipe.data
    loss = "loss on the answer alone" if data.answer_only else "loss on prompt and answer"
    if plan.recipe.objective == "dpo":
        loss = "chosen before rejected answer"
    packed = ", rows packed" if data.packing else ""
    rejected = f", rejected answer {data.rejected!r} where a row has none" if data.rejected is not None else ""
    return f"template {data.template}, {loss}, max length {data.max_length}{packed}{rejected}"


def _length(plan: Plan) -> str:
    n, t = plan.length, plan.recipe.training
    about = "" if n.exact else "about "
    steps = "" if n.steps is None else ("" if t.steps is not None else about) + some(n.steps, "step")
    epochs = f"{about}{n.epochs:.3g} epochs" if n.epochs else ""
    if t.epochs is not None:
        epochs = f"{t.epochs:g} epoch{'s' * (t.epochs != 1)}"
    both = ", ".join(part for part in (steps, epochs) if part)
    return (
        f"{both}; batch {t.batch} x accumulation {t.accumulation} = {t.batch * t.accumulation} rows a step and device"
    )


def _learning(plan: Plan) -> str:
    t = plan.recipe.training
    warmup = f"warm-up {t.warmup:g} steps" if t.warmup >= 1 else f"warm-up {t.warmup:.0%} of the steps"
    if plan.length.steps is not None and t.warmup > max(plan.length.steps, 1):
        warmup += " (longer than the training: the rate stays below this)"
    return (
        f"rate {_short(t.learning_rate)}, schedule {t.schedule}, {warmup if t.warmup else 'no warm-up'}, seed {t.seed}"
    )


def _short(rate: float) -> str:
    """As it is written down: 2e-4, 0.05."""
    digits, _, power = f"{rate:e}".partition("e")
    return f"{rate:g}" if rate >= 0.01 else f"{float(digits):g}e{int(power)}"


def _optimizer(plan: Plan) -> str:
    t = plan.recipe.training
    return f"{t.optimizer}, weight decay {t.weight_decay:g}, gradient norm at most {t.max_grad_norm:g}"


def _every(plan: Plan) -> str:
    t = plan.recipe.training
    return (
        f"evaluate {t.evaluate_every} steps, save {t.save_every}, log {t.log_every}; {some(t.keep, 'checkpoint')} kept"
    )


def _best(plan: Plan) -> str:
    t = plan.recipe.training
    chosen = {"validation_loss": "lowest validation loss", "last": "the last"}.get(
        t.best, f"highest {t.best}, on {t.best_rows} rows that are no test rows"
    )
    return chosen + (f"; stops after {some(t.patience, 'evaluation')} without a better one" if t.patience else "")


def _memory(plan: Plan) -> str:
    m = plan.memory
    if m is None:
        return "not estimated: " + ("the base is not at hand" if plan.base is None else "shapes alone do not tell")
    where = "a GPU" if m.device == "gpu" else "a CPU"
    parts = (("weights", m.weights), ("gradients", m.gradients), ("optimizer", m.optimizer),
             ("activations and loss", m.activations))  # fmt: skip
    return (
        f"about {_size(m.total)} on {where}: " + ", ".join(f"{name} {_size(value)}" for name, value in parts)
        + " (estimate for full-length rows, see docs/reference/recipes.md)"
    )  # fmt: skip


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.1f} MiB"


def _time(plan: Plan) -> str:
    if plan.step_seconds is None or plan.seconds is None:
        missing = "the base is" if plan.base is None or not plan.base.at_hand else "the data are"
        return f"not measured: {missing} not at hand"
    return f"about {duration(plan.seconds)} here without evaluations: {plan.step_seconds:.2g} s a step, as a few took"


def duration(seconds: float) -> str:
    """In the unit that fits."""
    size = 1.0
    for limit, unit in ORDERS:
        if seconds < limit:
            return f"{seconds / size:.2g} {unit}"
        size = limit
    raise AssertionError("the last limit is infinite")
