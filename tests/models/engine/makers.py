"""Tiny random models of many architectures, made on the spot, and rows to score with them."""

from __future__ import annotations

import random

from benchctl_plugins.models.engine.items import Row

VOCABULARY = 97
SMALL = {"vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
KEYED = {**SMALL, "intermediate_size": 64, "num_key_value_heads": 2, "max_position_embeddings": 256}


def configs():
    """Name -> (configuration, whether prompts can be shared)."""
    import transformers as t

    return {
        "llama": (t.LlamaConfig(**KEYED), True),
        "mistral, short window": (t.MistralConfig(**KEYED, sliding_window=9), True),
        "qwen2": (t.Qwen2Config(**KEYED), True),
        "qwen3": (t.Qwen3Config(**KEYED, head_dim=8), True),
        "gemma2, both caps, short window": (
            t.Gemma2Config(**KEYED, head_dim=8, sliding_window=9, final_logit_softcapping=3.0,
                           attn_logit_softcapping=2.0, query_pre_attn_scalar=8), True),
        "cohere, scaled logits": (t.CohereConfig(**KEYED, logit_scale=0.3), True),
        "granite, scaled logits": (t.GraniteConfig(**KEYED, logits_scaling=4.0), True),
        "gpt2": (t.GPT2Config(vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=256), True),
        "gpt-neox": (t.GPTNeoXConfig(**SMALL, intermediate_size=64, max_position_embeddings=256), True),
        "opt": (t.OPTConfig(**SMALL, ffn_dim=64, word_embed_proj_dim=32, max_position_embeddings=256), True),
        "phi": (t.PhiConfig(**SMALL, intermediate_size=64, max_position_embeddings=256), True),
        "deepseek v3, compressed cache, experts": (
            t.DeepseekV3Config(**{**KEYED, "num_key_value_heads": 4}, kv_lora_rank=16, q_lora_rank=16, qk_nope_head_dim=8,
                               qk_rope_head_dim=8, v_head_dim=8, n_routed_experts=4, num_experts_per_tok=2, n_group=1,
                               topk_group=1, moe_intermediate_size=32, first_k_dense_replace=1), True),
        "gpt-oss, sinks, experts, short window": (
            t.GptOssConfig(**KEYED, head_dim=8, sliding_window=9, num_local_experts=4, num_experts_per_tok=2), True),
        "falcon": (t.FalconConfig(**SMALL, alibi=False), False),
        "falcon, alibi": (t.FalconConfig(**SMALL, alibi=True), False),
        "bloom": (t.BloomConfig(vocab_size=VOCABULARY, hidden_size=32, n_layer=2, n_head=4), False),
        "mpt": (t.MptConfig(vocab_size=VOCABULARY, d_model=32, n_layers=2, n_heads=4, max_seq_len=256), False),
        "mamba": (t.MambaConfig(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, state_size=8), False),
    }  # fmt: skip


def made(config):
    """A model of that configuration with weights from a fixed seed, large enough that its answers differ."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config).eval()
        for parameter in model.parameters():
            if parameter.dim() > 1:
                torch.nn.init.normal_(parameter, std=0.3)
    return model


def layers(model):
    """A model's layers, in order, wherever its architecture keeps them."""
    import torch

    count = model.config.get_text_config().num_hidden_layers
    (found,) = [m for m in model.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == count]
    return found


class NoTokenizer:
    """Scoring works on token ids: nothing is asked of it."""

    pad_token_id = eos_token_id = 0


def questions(count=12, header=20, choices=4, seed=1):
    """Items as a few-shot run makes them: one beginning for all, two questions per passage, choices that begin alike."""
    draw = random.Random(seed)

    def tokens(n):
        return tuple(draw.randrange(2, VOCABULARY) for _ in range(n))

    start, items, passage = tokens(header), [], ()
    for number in range(count):
        passage = tokens(draw.randrange(5, 20)) if number % 2 == 0 else passage
        context = start + passage + tokens(draw.randrange(1, 15))
        alike = tokens(2)
        items.append([Row(context, (alike if i % 2 else ()) + tokens(draw.randrange(1, 6))) for i in range(choices)])
    return items


def scores(engine, items):
    """The nats per item and row, in order."""
    found = dict(engine.score(items))
    return [[likelihood.nats for likelihood in found[i]] for i in range(len(items))]
