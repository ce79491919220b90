"""Quantises with gptqmodel in a process of its own: ``python -m benchctl_plugins.models.gptq_worker < job.json``.

Its own process, because gptqmodel reads its settings from the environment when it is imported, prints on standard
output, and keeps threads.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

MINIMUM_WORKERS = 2
"""With the single worker that gptqmodel chooses on two cores, quantising waits for itself for ever."""
UNSTABLE = ("offload_to_disk_path",)
"""Entries of the written configuration that name a folder of this machine."""


def main() -> None:
    """Do the job that standard input describes; see quantize.to_gptq."""
    workers = max(MINIMUM_WORKERS, min(12, (os.cpu_count() or 1) // 2))
    os.environ.setdefault("GPTQMODEL_CPU_WORKERS", str(workers))
    job = json.load(sys.stdin)
    import torch
    from gptqmodel import GPTQModel, QuantizeConfig
    from transformers import AutoTokenizer

    torch.manual_seed(0)
    settings = QuantizeConfig(
        bits=job["bits"], group_size=job["group_size"], desc_act=False, sym=True, offload_to_disk=False
    )
    tokenizer = AutoTokenizer.from_pretrained(job["source"])
    model = GPTQModel.load(job["source"], settings, device=job["device"])
    model.quantize(job["texts"], batch_size=1, tokenizer=tokenizer)
    model.save(job["out"])
    tidy(Path(job["out"]))


def tidy(folder: Path) -> None:
    """Remove from the result what differs from run to run: timings and folders of this machine."""
    (folder / "quant_log.csv").unlink(missing_ok=True)
    for name in ("config.json", "quantize_config.json"):
        file = folder / name
        if file.is_file():
            content = _without(json.loads(file.read_text(encoding="utf-8")), UNSTABLE)
            file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _without(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {key: _without(v, names) for key, v in value.items() if key not in names}
    return value


if __name__ == "__main__":
    main()
