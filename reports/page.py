"""The leaderboard as one HTML file: templates, styles and script in it, nothing fetched from anywhere."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchctl import __version__
from benchctl.plugins import get_plugins

from .asides import below, detail, part, reference_detail, remarks, setup, status, tags
from .board import Leaderboard
from .charts import charts
from .language import LANGUAGES, Language, load_language
from .trainings import trainings

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_HERE = Path(__file__).parent
_ASIDES = (below, detail, part, reference_detail, remarks, setup, status, tags)
"""What templates may ask for by name, in the page's language."""


def render(board: Leaderboard, lang: str = LANGUAGES[0]) -> str:
    """The page in one of :data:`LANGUAGES`. The same leaderboard always gives the same text.

    Everything that comes from runs, plugins and models is escaped; a content-security policy names the one style and
    the one script by hash, so that nothing else could run even if it slipped through.
    """
    language = load_language(lang)
    style = (_HERE / "static" / "leaderboard.css").read_text(encoding="utf-8")
    script = (_HERE / "static" / "leaderboard.js").read_text(encoding="utf-8")
    drawn = list(charts(board))
    return make_environment(language).get_template("leaderboard.html.j2").render(
        board=board,
        charts=drawn,
        trainings=trainings(board),
        open_chart=max(drawn, key=lambda chart: len(chart.points), default=None),
        style=style,
        script=script,
        style_hash=_csp_hash(style),
        script_hash=_csp_hash(script),
        version=__version__,
    )  # fmt: skip


def make_environment(language: Language) -> Environment:
    """The Jinja environment of the reports: autoescape on, unknown names are errors, plugins' additions in it.

    Templates find the words and formats of the language as ``L``, and what :mod:`.asides` says in them.

    Raises:
        PluginError: a plugin's ``benchctl_jinja`` failed.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    env = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals["L"] = language
    env.globals |= {one.__name__: partial(one, words=language) for one in _ASIDES}
    env.filters["breakable"] = _breakable
    env.filters["without_training"] = _without_training
    get_plugins().call("benchctl_jinja", env=env)
    return env


def _breakable(name: str) -> Markup:
    """A name that may break after its separators, so that long paths do not break inside a word."""
    from markupsafe import Markup, escape

    return Markup("<wbr>").join(escape(piece) for piece in re.split(r"(?<=[/,:=])", name))


def _without_training(model: Mapping[str, Any]) -> dict[str, Any]:
    """What a record says of its model, but for the curves of its training, which have a section of their own."""
    return {name: value for name, value in model.items() if name != "training"}


def _csp_hash(text: str) -> str:
    """The text's hash as a content-security policy writes it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
