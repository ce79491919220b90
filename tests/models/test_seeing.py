"""Models that also see (LLaVA, Mistral Small 3, Qwen-VL, Gemma 3) are asked in text like any other."""

from __future__ import annotations

import pytest

from benchctl.creation import create_model
from benchctl.plugins import get_plugins
from benchctl.types import Choose, Generate

TEXT = {"vocab_size": 520, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": 512, "bos_token_id": 1, "eos_token_id": 2}  # fmt: skip
EYES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 28,
        "patch_size": 14}  # fmt: skip
QWEN_EYES = {"depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": 64}
TURNING = {"rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 1e4}}
KINDS = ("llava", "mistral3", "qwen2_5_vl", "qwen3_vl", "gemma3")


def build(kind: str):
    """A tiny random model."""
    import torch
    import transformers as t

    torch.manual_seed(0)
    if kind == "llava":
        eyes = t.CLIPVisionConfig(**EYES)
        made = t.LlavaConfig(text_config=t.LlamaConfig(**TEXT), vision_config=eyes, image_token_index=515)
        return t.LlavaForConditionalGeneration(made)
    if kind == "mistral3":
        text, eyes = t.MistralConfig(**TEXT, head_dim=16, sliding_window=None), t.PixtralVisionConfig(**EYES)
        made = t.Mistral3Config(text_config=text, vision_config=eyes, image_token_index=515)
        return t.Mistral3ForConditionalGeneration(made)
    if kind == "gemma3":
        text = {**TEXT, "head_dim": 16, "sliding_window": 32}
        made = t.Gemma3Config(text_config=text, vision_config=EYES, mm_tokens_per_image=4, image_token_index=515,
                              boi_token_index=513, eoi_token_index=514)  # fmt: skip
        return t.Gemma3ForConditionalGeneration(made)
    signs = {"image_token_id": 515, "video_token_id": 516, "vision_start_token_id": 513, "vision_end_token_id": 514}
    if kind == "qwen2_5_vl":
        made = t.Qwen2_5_VLConfig(text_config={**TEXT, **TURNING}, vision_config=QWEN_EYES, **signs)
        return t.Qwen2_5_VLForConditionalGeneration(made)
    eyes = {**QWEN_EYES, "deepstack_visual_indexes": [0]}
    made = t.Qwen3VLConfig(text_config={**TEXT, **TURNING, "head_dim": 16}, vision_config=eyes, **signs)
    return t.Qwen3VLForConditionalGeneration(made)


@pytest.fixture(params=KINDS)
def seeing(request, shared, tmp_path):
    """A folder with such a model."""
    from transformers import AutoTokenizer

    build(request.param).save_pretrained(tmp_path / request.param)
    AutoTokenizer.from_pretrained(shared / "models/stories260K").save_pretrained(tmp_path / request.param)
    return tmp_path / request.param


def test_its_scores_and_texts_are_those_of_the_model_asked_alone(seeing):
    import torch
    from transformers import AutoModelForImageTextToText

    ours = create_model(get_plugins(), f"hf:{seeing},dtype=float32")
    direct = AutoModelForImageTextToText.from_pretrained(seeing, dtype="float32").eval()
    tokenizer = ours.tokenizer
    prompts = [f"Once upon a time, there were {n} dogs{' and a cat' * n}." for n in range(6)]
    choices = (" They ran.", " A dog", " Good morning, said the cat")

    for index, response in ours.choose([Choose(prompt, choices) for prompt in prompts]):
        for choice, score in zip(choices, response.choices, strict=True):
            before, whole = (tokenizer(text)["input_ids"] for text in (prompts[index], prompts[index] + choice))
            with torch.inference_mode():
                nats = direct(input_ids=torch.tensor([whole])).logits[0].float().log_softmax(dim=-1)
            expected = sum(float(nats[i - 1, whole[i]]) for i in range(len(before), len(whole)))
            assert score.nats == pytest.approx(expected, abs=1e-4)
    assert ours.manifest()["path"] == "shared"

    for index, response in ours.generate([Generate(prompt, max_tokens=40) for prompt in prompts]):
        ids = tokenizer(prompts[index], return_tensors="pt")
        alone = direct.generate(**ids, max_new_tokens=40, do_sample=False)[0, ids["input_ids"].shape[1] :]
        assert response.text == tokenizer.decode(alone, skip_special_tokens=True)
