"""The agreement report as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from benchctl.annotation.report import AgreementReport
from benchctl.types import Estimate


def lines(found: AgreementReport) -> Iterator[str]:
    """What ``benchctl annotate RUN --agreement`` prints."""
    for name, counts in found.annotators.items():
        yield f"{name}: " + ", ".join(f"{count} {what}" for what, count in counts.items())
    tied = f", and {found.unresolved} with tied labels, which count in part" if found.unresolved else ""
    yield f"annotated answers: {found.annotated}{tied}"
    yield f"readings that people agree with: {_figure(found.extraction)}"
    yield f"readings that name an option people do not: {found.wrong_readings}"
    for reading, person, count in found.confusion:
        yield f"  {count:5d}  read {reading:12s}  people {person}" + ("" if reading == person else "   <-")
    for pair in found.pairs:
        kappa = "undefined" if pair.kappa is None else f"{pair.kappa:.3f}"
        both = f"{' and '.join(pair.annotators)}: {pair.n} in common"
        yield f"{both}, {pair.agreement * 100:.1f} % equal, Cohen's kappa {kappa}" if pair.n else both
    if len(found.annotators) > 2 and found.alpha is not None:
        yield f"all annotators: Krippendorff's alpha {found.alpha:.3f}"
    yield f"score as the run counted it: {_figure(found.score)}"
    if found.corrected is not None:
        yield f"score as people would have: {_figure(found.corrected)}"
        yield "  run's score + mean over annotated answers of (right by people - right by the reading)"
    else:
        yield f"score as people would have: not estimated, {found.reason}"


def _figure(e: Estimate) -> str:
    interval = "" if e.low is None or e.high is None else f" ({e.low * 100:.2f} to {e.high * 100:.2f})"
    return f"{e.value * 100:.2f} %{interval}, n {e.n}"
