"""Scored answers for the tests of metrics, made in one line."""

from benchctl.metric import Scored
from benchctl.types import Answer, Response, Sample


def free(text, target="", identity="0", cluster=None, **response):
    sample = Sample(identity, "Pergunta?", target=target, cluster=cluster)
    return Scored(sample, (Response(text=text, **response),), Answer(text, "text"))


def free_run(pairs):
    """(answer, reference) pairs as a run."""
    return [free(text, target, str(place)) for place, (text, target) in enumerate(pairs)]


def choice(label, target, identity="0", cluster=None, choices="ABCD", text=None):
    sample = Sample(identity, "Pergunta?", {c: c for c in choices}, target, cluster=cluster)
    responses = (Response(text=text),) if text is not None else ()
    return Scored(sample, responses, Answer(label, "choice" if label else "none"))


def corpus(nats, tokens, size, identity="0"):
    return Scored(Sample(identity, "texto"), (Response(nats=nats, tokens=tokens, bytes=size),), Answer(None, "text"))


PORTUGUESE = [
    ("A vacinação é indicada à gestante.", "A vacinação não é contraindicada na gestação."),
    ("O coração não bombeia água.\nBombeia sangue.", "O coração bombeia sangue.\nO pulmão troca gases."),
    ("Ação à pressão arterial e reação.", "Ação e reação à pressão."),
    ("Não há evidência.", "Não há evidência de benefício; é preciso mais pesquisa."),
    ("Três comprimidos às oito horas, após a refeição, com água", "Três comprimidos às oito, após as refeições."),
    ("", "Fígado e pâncreas."),
]
