"""benchctl: evaluate language models in Portuguese, health first, without losing an answer.

The types are in :mod:`benchctl.types`; the straight line from command to report starts in :mod:`benchctl.cli.run`.
"""

__version__ = "0.1.0"
