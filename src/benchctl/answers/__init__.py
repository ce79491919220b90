"""Reading free answers: from what a model wrote to the option it commits to, or to the outcome that says why not.

>>> from benchctl.answers import read_answer
>>> read_answer("A correta é a letra B.", {"A": "Vago", "B": "Frênico"}).label
'B'

The rules, in order, with what each of them does, are in :data:`RULES`; docs/extraction.md has them with their counts.
"""

from benchctl.answers.read import read_answer
from benchctl.answers.reading import OUTCOMES, RULES, Reading

__all__ = ["OUTCOMES", "RULES", "Reading", "read_answer"]
