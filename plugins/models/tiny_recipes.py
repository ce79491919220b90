"""How the tiny models are made. A change here raises ``VERSION`` in tiny.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

SEED, VOCABULARY, HIDDEN, LAYERS, HEADS, CONTEXT = 20240611, 1024, 64, 2, 4, 2048
"""Sizes that every quantisation can take: multiples of 32, and of 64 where layers read."""
OUTER, INNER = 0.2, 0.06
"""Standard deviations of the embeddings and of the layers between: rounding the layers to 4 bits must change the
answers a little, not turn them into others."""
RANK, ALPHA, ADAPTED = 8, 16, 0.1
"""Of the adapter; the last is the standard deviation of its matrices."""
TASKS = ("medmcqa-pt", "medqa-pt", "pubmedqa-pt")
"""Whose dev rows GPTQ measures activations on."""
SAMPLES = Path(__file__).parents[1] / "tasks" / "data"


def make_llama(folder: Path) -> None:
    """A Llama of two layers and its tokenizer."""
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_train_tokenizer("<s> $A", ("<s>", "</s>")), bos_token="<s>", eos_token="</s>",
        model_max_length=CONTEXT,
    )  # fmt: skip
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=HIDDEN, intermediate_size=2 * HIDDEN, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, num_key_value_heads=HEADS // 2, max_position_embeddings=CONTEXT,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    _write(folder, LlamaForCausalLM(config), tokenizer)


def make_t5(folder: Path) -> None:
    """A T5 of two encoder and two decoder layers and its tokenizer."""
    from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_train_tokenizer("$A </s>", ("<pad>", "</s>")), eos_token="</s>", pad_token="<pad>",
        model_max_length=CONTEXT,
    )  # fmt: skip
    config = T5Config(
        vocab_size=len(tokenizer), d_model=HIDDEN, d_kv=HIDDEN // HEADS, d_ff=2 * HIDDEN, num_layers=LAYERS,
        num_heads=HEADS, feed_forward_proj="gated-gelu", tie_word_embeddings=False, n_positions=CONTEXT,
        decoder_start_token_id=tokenizer.pad_token_id, pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    _write(folder, T5ForConditionalGeneration(config), tokenizer)


def make_adapter(folder: Path, base: Path) -> None:
    """A LoRA adapter on all linear layers, with fixed random weights in both matrices: it changes every answer."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from .adapters import write_card
    from .quiet import quiet

    with quiet():
        model = AutoModelForCausalLM.from_pretrained(base)
        config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules="all-linear", task_type="CAUSAL_LM")
        adapted = get_peft_model(model, config)
        _fill({name: p for name, p in adapted.named_parameters() if p.requires_grad}, lambda _: ADAPTED)
        adapted.peft_config["default"].base_model_name_or_path = "tiny"
        adapted.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    _sort_modules(folder / "adapter_config.json")
    write_card(folder, "tiny", base, "nf4")


def _sort_modules(file: Path) -> None:
    """peft writes a set in an order that differs from process to process; the file's hash must not."""
    content = json.loads(file.read_text(encoding="utf-8"))
    content["target_modules"] = sorted(content["target_modules"])
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def make_gptq(folder: Path, base: Path) -> None:
    """The tiny Llama as a GPTQ checkpoint; the first time on a machine it compiles for about 20 seconds."""
    from .quantize import GROUPS, calibration, to_gptq

    texts = calibration(TASKS, "builtin", 16, 0).texts
    to_gptq(base, folder, texts, 4, GROUPS[2], "cpu")


def make_merged(folder: Path, base: Path, adapter: Path) -> None:
    """The tiny Llama as nf4 with the adapter merged in, by the route of merge.py."""
    from benchctl.model import ModelArgs

    from .hf_load import load_tokenizer
    from .quiet import quiet
    from .settings import Settings
    from .weights import Weights

    options = {"quant": "nf4", "adapter": str(adapter), "merge": "true", "device": "cpu"}
    settings = Settings.read(ModelArgs("tiny-merged", str(base), options))
    weights = Weights.of(settings)
    merged = weights.load()
    with quiet():
        merged.save_pretrained(folder)
        load_tokenizer(base, settings, weights.config).save_pretrained(folder)


def _write(folder: Path, model: Any, tokenizer: Any) -> None:
    from .quiet import quiet

    _fill(dict(model.named_parameters()), _spread)
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def _spread(name: str) -> float:
    """Standard deviation of a matrix's entries; 0 leaves it as it is."""
    if "norm" in name:
        return 0.0
    return OUTER if any(part in name for part in ("embed_tokens", "lm_head", "shared", "attention_bias")) else INNER


def _fill(parameters: dict[str, torch.nn.Parameter], spread: Any) -> None:
    """Random entries from the seed, by name: the same on every machine, whatever order a library makes layers in."""
    import torch

    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for name in sorted(parameters):
            if deviation := spread(name):
                parameters[name].normal_(0, deviation, generator=generator)


def _train_tokenizer(pattern: str, special: tuple[str, ...]) -> object:
    """Byte-level BPE on the shipped samples: any text round-trips, Portuguese words take few tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=list(special), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )  # fmt: skip
    tokenizer.train([str(file) for file in sorted(SAMPLES.glob("*.jsonl"))], trainer)
    ids = [(token, special.index(token)) for token in special if token in pattern]
    tokenizer.post_processor = processors.TemplateProcessing(single=pattern, special_tokens=ids)
    return tokenizer
