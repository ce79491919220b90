"""Numbers and words of the comparison tables, in the language asked for."""

from __future__ import annotations

from collections.abc import Mapping

from benchctl.pairing import Difference, decimals_of
from benchctl.remarks import Remark
from benchctl.types import Estimate, RunSpec

PT: Mapping[str, str] = {
    "better": "melhor", "worse": "pior", "differs": "difere", "unclear": "não se distingue", "same": "igual",
    "model": "modelo",
    "metric": "métrica", "difference": "diferença", "95 % interval": "intervalo de 95 %", "only A": "só A",
    "only B": "só B", "verdict": "veredito", "task": "tarefa", "all together": "todas juntas",
    "mean of the tasks": "média das tarefas",
    "asked otherwise than {task}: {what} {b} instead of {a}":
        "feita de outra forma que {task}: {what} {b} em vez de {a}",
    "lower is better": "menor é melhor", "parameters": "parâmetros", "trainable": "treináveis", "share": "parcela",
    "epochs": "épocas", "time": "tempo", "memory": "memória", "base": "base", "no pairs": "sem pares",
    "warning": "aviso", "answered by both": "com resposta de ambos", "right": "certa", "none": "nenhuma",
    "1 disagreement on {metric}": "1 divergência em {metric}",
    "{n} disagreements on {metric}": "{n} divergências em {metric}",
    "1 shown": "1 mostrada", "{n} shown": "{n} mostradas",
    "difference: B minus A": "diferença: B menos A",
    "value; difference to the base in percent; in points [95 % interval]":
        "valor; diferença para a base em por cento; em pontos [intervalo de 95 %]",
    "{what} differs: {a} and {b}": "as execuções diferem em {what}: {a} e {b}",
    "{what} of {metrics}": "{what} de {metrics}",
    "version of the task": "versão da tarefa", "judges": "juízes", "rubric": "rubrica",
    "the prompts differ under the same settings: the file of examples or the wording has changed since":
        "os prompts diferem com as mesmas opções: o arquivo de exemplos ou o texto das instruções mudou",
    "{metric} was computed differently: {a} and {b}": "{metric} foi calculada de outra forma: {a} e {b}",
    "answers the rules could not read were read by {a} and {b}":
        "as respostas que as regras não leram foram lidas por {a} e por {b}",
    "nobody": "ninguém", "interrupted": "interrompida", "incomplete": "incompleta", "running": "em andamento",
    "run {id} asked part of sorted data: '{label}' is right in another share of it than of all {total}":
        "a execução {id} fez parte de dados ordenados: '{label}' é a certa em outra proporção que em todas as {total}",
    "an older benchctl wrote the answers of run {id}, some perhaps otherwise: to be sure, delete it and run it again":
        "um benchctl mais antigo escreveu as respostas da execução {id}, talvez algumas de outro modo: para ter "
        "certeza, apague-a e execute de novo",
    "run {id} is {status}: {answered} of {n}": "a execução {id} está {status}: {answered} de {n}",
    "{model} was trained on {rows} rows that hold test questions of this task: a difference is no gain":
        "{model} foi treinado com {rows} linhas que contêm perguntas do teste desta tarefa: uma diferença não é ganho",
    "{model} was trained on a row that holds test questions of this task: a difference is no gain":
        "{model} foi treinado com uma linha que contém perguntas do teste desta tarefa: uma diferença não é ganho",
    "only one question is in both runs, of {a} and {b} answered":
        "só uma pergunta está nas duas execuções, de {a} e {b} respondidas",
    "only {both} questions are in both runs, of {a} and {b} answered":
        "só {both} perguntas estão nas duas execuções, de {a} e {b} respondidas",
    "the tokenizers differ: perplexity, per token, does not compare these models; bits_per_byte does":
        "os tokenizadores diferem: a perplexidade, por token, não compara estes modelos; bits_per_byte compara",
    "the questions are the built-in sample: they say nothing about a model's quality":
        "as perguntas são a amostra embutida: nada dizem sobre a qualidade de um modelo",
    "{model} was another model when this ran, before {task}: run it again":
        "{model} era outro modelo nesta execução, anterior à de {task}: execute de novo",
    "{model}, {task}: {remark}": "{model}, {task}: {remark}", "{task}: {remark}": "{task}: {remark}",
    "{metric} is no mean of single answers, so two runs of it cannot be paired.":
        "{metric} não é uma média de respostas isoladas: duas execuções dela não podem ser pareadas.",
    "No question has {metric} in both runs.": "Nenhuma pergunta tem {metric} nas duas execuções.",
    "Runs {a} and {b} have no question in common.": "As execuções {a} e {b} não têm perguntas em comum.",
    "{n} of {both} questions differ between runs {a} and {b}, first '{id}': their data are not the same.":
        "perguntas diferentes nas execuções {a} e {b}: {n} de {both}, a primeira '{id}'; os dados não são os mesmos.",
    "left out, since the base has no run of it": "de fora, pois a base não tem execução dela",
    "left out, since this model has no run of it": "de fora, pois este modelo não tem execução dela",
    "compared with the base's run {run}, which goes with it; the base's row shows {shown}":
        "comparado com a execução {run} da base, que faz par com a dele; a linha da base mostra {shown}",
}  # fmt: skip


def asked(spec: RunSpec) -> str:
    """How the questions were put, in short: ``generate, 0-shot, 4 answers each``."""
    several = f", {spec.repeats} answers each" if spec.repeats > 1 else ""
    return f"{spec.scoring}, {spec.shots}-shot{several}"


def say(words: str, lang: str) -> str:
    """The words, or a remark, in Portuguese or, as they stand, in English."""
    if lang != "pt":
        return words
    return words.translated(PT) if isinstance(words, Remark) else PT.get(words, words)


def number(value: float, decimals: int, lang: str, signed: bool = False) -> str:
    """With a decimal comma in Portuguese; a minus is a minus sign, as wide as the plus."""
    text = f"{value:{'+' if signed else ''},.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        text = text.replace("-", "").replace("+", "")
    if lang == "pt":
        text = text.translate(str.maketrans(",.", ".,"))
    return text.replace("-", "−")


def value(estimate: Estimate, lang: str) -> str:
    """An estimate's value: shares as percentages with two decimals, anything else with four."""
    if estimate.percent:
        return f"{number(estimate.value * 100, 2, lang)} %"
    return number(estimate.value, 4, lang)


def points(difference: Difference, lang: str) -> str:
    """A difference with its sign: shares in percentage points."""
    scale, decimals = (100, 2) if difference.percent else (1, 4)
    return number(difference.value * scale, decimals, lang, signed=True)


def interval(difference: Difference, lang: str) -> str:
    """``[1.10; 7.31]``; empty where there is none."""
    if difference.low is None or difference.high is None:
        return ""
    scale, decimals = (100, 2) if difference.percent else (1, 4)
    low, high = (number(bound * scale, decimals, lang) for bound in (difference.low, difference.high))
    return f"[{low}; {high}]"


def probability(p: float, lang: str) -> str:
    """A p-value with three decimals, with more where 0.050 would belie the verdict, or that it is smaller."""
    return f"< {number(0.001, 3, lang)}" if p < 0.001 else number(p, decimals_of(p), lang)


def duration(seconds: float) -> str:
    """``1 h 02 min``, ``3 min 20 s`` or ``12 s``."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, left = divmod(minutes, 60)
    return f"{hours} h {left:02d} min" if hours else f"{minutes} min {rest:02d} s"


def memory(size: float, lang: str) -> str:
    """Bytes in GiB or MiB."""
    unit, scale = ("GiB", 2**30) if size >= 2**30 else ("MiB", 2**20)
    return f"{number(size / scale, 2 if unit == 'GiB' else 0, lang)} {unit}"
