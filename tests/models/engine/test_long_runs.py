"""A long run needs hardly more memory than a short one, and quantised models share prompts too."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchctl.types import Choose

pytest.importorskip("transformers", reason="needs the extra 'hf'")

PEAK = """
import resource, sys
from benchctl.creation import create_model
from benchctl.plugins import get_plugins
from benchctl.types import Choose

header = "".join(f"Pergunta de exemplo {i}: qual é a dose?\\nResposta: dez miligramas\\n\\n" for i in range(5))
requests = [
    Choose(f"{header}Pergunta {i}: o que se dá ao paciente {i * 7919}?\\nResposta:", (" água", " soro", " nada disso"))
    for i in range(int(sys.argv[1]))
]
model = create_model(get_plugins(), "tiny")
assert sum(1 for _ in model.choose(requests)) == len(requests)
assert model.manifest()["path"] == "shared"
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.alone
def test_peak_memory_hardly_grows_with_the_run():
    def peak(questions):
        done = subprocess.run([sys.executable, "-c", PEAK, str(questions)], capture_output=True, text=True, check=True)
        return int(done.stdout.split()[-1])

    assert peak(4000) < 1.15 * peak(200)


@pytest.mark.slow
@pytest.mark.parametrize(("spec", "needs"), [("tiny-nf4", "bitsandbytes"), ("tiny-gptq", "gptqmodel")])
def test_quantised_models_share_prompts_and_score_as_on_the_plain_path(spec, needs):
    pytest.importorskip(needs)
    from benchctl.creation import create_model
    from benchctl.plugins import get_plugins

    requests = [
        Choose(f"Pergunta {i}: sim ou não?{' Diga.' * (i % 4)}", (" sim", " não sei", " não")) for i in range(20)
    ]
    model = create_model(get_plugins(), spec)
    got = [c.nats for _, r in sorted(model.choose(requests), key=lambda pair: pair[0]) for c in r.choices]
    assert model.manifest()["path"] == "shared"
    rows = [row for found, _ in model.encoder.choose(requests) for row in found]
    alone = dict(model.engine.plain.score(rows))
    assert got == pytest.approx([alone[i].nats for i in range(len(rows))], abs=1e-3)
