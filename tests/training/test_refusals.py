"""What cannot work is refused before anything loads, and what works is not."""

from __future__ import annotations

import pytest

from benchctl.errors import BadConfig
from benchctl_plugins.training.reading import find_recipe
from benchctl_plugins.training.recipe import Recipe

REFUSED = [
    ("tiny-lora", "method=qlora", "model.quant is none", "model.quant=nf4"),
    ("tiny-gptq-lora", "method=qlora", "model.quant is gptq", "method=lora"),
    ("tiny-qlora", "method=lora", "is what qlora means", "method=qlora"),
    ("tiny-full", "quant=nf4", "cannot be trained", "quant=none"),
    ("tiny-full", "base=tiny-gptq quant=gptq", "cannot be trained", "quant=none"),
    ("tiny-qlora", "init=pissa", "cannot be split", "init=default"),
    ("tiny-qlora", "quant=int8 init=pissa", "cannot be split", "init=default"),
    ("tiny-gptq-lora", "init=pissa", "cannot be split", "init=default"),
    ("tiny-gptq-lora", "init=olora", "cannot be split", "init=default"),
    ("tiny-gptq-lora", "method=dora", "weights themselves", "nf4"),
    ("tiny-dora", "quant=int8", "weights themselves", "nf4"),
    ("tiny-ia3", "base=tiny-gptq quant=gptq", "no IA3 for GPTQ", "lora"),
    ("tiny-dpo", "init=olora", "changes the base", "eva"),
    ("tiny-dpo", "init=pissa", "changes the base", "eva"),
    ("tiny-t5-lora", "init=eva", "reads two", "olora"),
    ("tiny-lora", "targets=lm_head", "lm_head is not trained", "Leave out"),
    ("tiny-ia3", "r=8", "ia3 has no use for adapter.r", "takes it back"),
    ("tiny-full", "alpha=3", "full has no use for adapter.alpha", "takes it back"),
    ("tiny-prompt", "targets=q_proj", "prompt has no use for adapter.targets", "takes it back"),
    ("tiny-lora", "virtual_tokens=5", "lora has no use for adapter.virtual_tokens", "takes it back"),
    ("tiny-lora", "steps=", "neither training.steps nor training.epochs", "one of the two"),
    ("tiny-lora", "steps=3 warmup=4", "longer than the training of 3", "lower"),
    ("tiny-lora", "warmup=2.5", "no number of steps", "share"),
    ("tiny-lora", "schedule=constant", "no warm-up", "constant_with_warmup"),
    ("tiny-lora", "warmup=inf", "finite", "recipes.md"),
    ("tiny-lora", "learning_rate=inf", "finite", "recipes.md"),
    ("tiny-lora", "steps= epochs=inf", "finite", "recipes.md"),
    ("tiny-lora", "best=last patience=2", "training.best=last compares no evaluations", "patience"),
    ("tiny-lora", "beta=0.2", "sft has no use for training.beta", "Leave it out"),
    ("tiny-t5-lora", "beta=0.2", "seq2seq has no use for training.beta", "Leave it out"),
    (
        "gpt2-qlora-v1",
        "max_length=1025",
        "'openai-community/gpt2' has 1024 positions, and rows may have 1025 tokens",
        "1024",
    ),
    (
        "distilgpt2-qlora-v1",
        "quant=none method=prompt r= alpha= dropout= targets= init= virtual_tokens=20 max_length=1010",
        "rows may have 1030 tokens",
        "1004",
    ),
    ("tiny-dpo", "packing=true", "cannot pack", "packing=false"),
    ("tiny-t5-lora", "packing=true", "cannot pack", "packing=false"),
    ("tiny-prompt", "packing=true", "packing joins rows", "packing=false"),
    ("tiny-lora", "rejected=x", "no rejected answers", "Leave out"),
    ("tiny-lora", "format=preference", "not from preferences", "objective=dpo"),
    ("tiny-lora", "objective=seq2seq", "is none", "objective=sft"),
    ("tiny-t5-lora", "objective=sft", "is an encoder-decoder", "objective=seq2seq"),
    ("tiny-t5-lora", "objective=dpo", "is an encoder-decoder", "objective=seq2seq"),
    ("tiny-lora", "base=tiny-gptq", "quantised as gptq, and model.quant says none", "model.quant=gptq"),
    ("tiny-gptq-lora", "base=tiny", "no GPTQ checkpoint", "benchctl quantize"),
    ("tiny-qlora", "base=tiny-qlora", "has an adapter already", "merge"),
    ("tiny-qlora", "base=zephyr-qlora", "has an adapter already", "merge"),
    ("tiny-lora", "targets=q_proj,query", "no layer called query", "q_proj"),
    ("tiny-lora", "targets=mlp", "no layer called mlp", "down_proj"),
    ("zephyr-qlora", "base=gpt2", "no layer called q_proj", "c_attn"),
]
WORKS = [
    ("tiny-lora", "init=gaussian"), ("tiny-lora", "init=pissa"), ("tiny-lora", "init=olora"), ("tiny-lora", "init=eva"),
    ("tiny-qlora", "init=olora"), ("tiny-qlora", "init=eva"), ("tiny-qlora", "quant=int8"), ("tiny-qlora", "quant=fp4"),
    ("tiny-dora", "quant=nf4"), ("tiny-dora", "init=pissa"), ("tiny-ia3", "quant=nf4"), ("tiny-ia3", "quant=int8"),
    ("tiny-ia3", "targets=all-linear"), ("tiny-prompt", "quant=nf4"), ("tiny-lora", "rslora=true"),
    ("tiny-t5-lora", "init=pissa"), ("tiny-t5-qlora", "init=olora"), ("tiny-t5-lora", "method=dora"),
    ("tiny-t5-lora", "targets=q,lm_head"), ("tiny-lora", "packing=true"), ("tiny-dpo", "init=eva"),
    ("tiny-ia3", "objective=dpo"), ("tiny-full", "objective=dpo"), ("tiny-t5-ia3", "quant=nf4"),
    ("tiny-lora", "warmup=0.1"), ("tiny-lora", "targets=q_proj,embed_tokens"),
    ("tiny-lora", "max_length=100000"), ("tiny-t5-lora", "max_length=100000"), ("tiny-dpo", "beta=0.2"),
]  # fmt: skip
"""Each also attached, and a gradient taken, in test_methods.py."""


@pytest.mark.parametrize(("name", "changes", "message", "hint"), REFUSED)
def test_what_cannot_work_is_refused_with_what_to_write_instead(name, changes, message, hint):
    with pytest.raises(BadConfig) as refused:
        find_recipe(name, changes.split())
    assert message in refused.value.message and hint in refused.value.hint
    assert name in refused.value.message


@pytest.mark.parametrize(("name", "changes"), WORKS)
def test_what_works_is_not_refused(name, changes):
    assert find_recipe(name, changes.split()).name == name


def test_an_objective_of_a_plugin_is_not_judged():
    assert find_recipe("tiny-lora", ["objective=kto"]).objective == "kto"


def unchecked(name: str, changes: str) -> Recipe:
    """What find_recipe would refuse."""
    found = find_recipe(name).model_dump(exclude_unset=True)
    for change in changes.split():
        key, _, value = change.partition("=")
        section, dot, field = key.partition(".")
        (found.setdefault(section, {}) if dot else found)[field if dot else key] = value
    return Recipe.model_validate(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("tiny-qlora", "adapter.init=pissa"),
        ("tiny-gptq-lora", "adapter.init=olora"),
        ("tiny-gptq-lora", "method=dora adapter.targets=q_proj"),
        ("tiny-ia3", "model.base=tiny-gptq model.quant=gptq"),
        ("tiny-t5-lora", "adapter.init=eva"),
    ],
)
def test_the_libraries_really_fail_at_what_is_refused(name, changes):
    """When one of these begins to work, its refusal is too strict."""
    from benchctl_plugins.training.methods import attach
    from tests.training.test_methods import base_of, batches

    recipe = unchecked(name, changes)
    with pytest.raises((TypeError, ValueError, AttributeError, IndexError, BadConfig)):
        attach(base_of(recipe), recipe, batches)
