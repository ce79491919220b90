"""``cluster:MODEL``, or ``--workers N``: any model, several times over, on the actors of a Ray cluster.

    model.py      the Model the runner sees: the inner model's name, fingerprint and record, the pool's answers
    chunks.py     what is left to do, cut into chunks, longest first
    pool.py       the workers: who has what, what came back, who died
    worker.py     one actor and its copy of the model
    resources.py  CPUs and GPUs per worker, so that all of them fit
    session.py    the connection to Ray; a local one where no address is given

Distribution is no part of a result: the run is that of the inner model, in the same folder, with the same scores.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchctl.hookspecs import hookimpl
from benchctl.model import Model

from .model import ClusterModel


@hookimpl
def benchctl_models() -> Mapping[str, type[Model]]:
    """The backend."""
    return {"cluster": ClusterModel}
