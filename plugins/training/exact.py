"""What makes a trainer of trl or transformers resume exactly, and an evaluation leave no trace in what follows."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import checkpoints

if TYPE_CHECKING:
    from .watch import Watch


class Exact:
    """Goes in front of a trainer class: ``class Mine(Exact, SFTTrainer)``; :func:`made_exact` does it.

    The trainers resume weights, optimizer, schedule, position in the data and random numbers. Not so what they have
    summed up since the last line of the log, nor the random numbers an evaluation draws; both are mended here, and a
    checkpoint gets its place only when it is whole on the disk.
    """

    watch: Watch

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        told = kwargs.get("args")
        if told is not None and told.n_gpu > 1:  # visible, but nobody launched a process for each: take the first
            told._n_gpu = 1
        super().__init__(*args, **kwargs)

    def carried(self) -> dict[str, Any]:
        """Sums since the last line of the log, for a checkpoint."""
        trainer: Any = self
        sums = getattr(trainer, "_metrics", {}).get("train", {})
        loss = trainer.accelerator.gather(trainer._tr_loss).mean()
        return {
            "loss": float(loss), "total_loss": trainer._total_loss_scalar,
            "logged": trainer._globalstep_last_logged, "sums": {name: list(values) for name, values in sums.items()},
            "tokens": getattr(trainer, "_total_train_tokens", 0),
        }  # fmt: skip

    def carry(self, state: Mapping[str, Any]) -> None:
        """Put them back, after ``train`` has set them to nothing."""
        trainer: Any = self
        trainer._tr_loss.fill_(state["loss"])
        trainer._total_loss_scalar, trainer._globalstep_last_logged = state["total_loss"], state["logged"]
        if hasattr(trainer, "_metrics"):
            trainer._metrics["train"].update({name: list(values) for name, values in state["sums"].items()})
            trainer._total_train_tokens = state["tokens"]

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """As the trainer's, without a trace: it draws random numbers, and so would change every later dropout."""
        with untouched(self), self.watch.paused():
            found: dict[str, float] = super().evaluate(*args, **kwargs)  # type: ignore[misc]
        return found

    def evaluation_loop(self, *args: Any, **kwargs: Any) -> Any:
        """As the trainer's, its loss the mean over all learnt tokens of the validation rows.

        The trainers take the mean of batches, which weighs a batch of two words as much as one of two pages: the loss
        of the same weights then depends on the batch size and on the order of the rows.
        """
        self._weighed: list[Any] = []
        found = super().evaluation_loop(*args, **kwargs)  # type: ignore[misc]
        if self._weighed:
            loss, tokens = (
                float(sum(part.double().sum() for part in parts)) for parts in zip(*self._weighed, strict=True)
            )
            found.metrics[f"{kwargs.get('metric_key_prefix', 'eval')}_loss"] = loss / tokens
        return found

    def prediction_step(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """As the trainer's, its loss kept with its tokens. Without labels (preferences) the rows count alike.

        Row by row, since several processes fill the last batch up with rows that gathering takes away again.
        """
        found = super().prediction_step(model, inputs, *args, **kwargs)  # type: ignore[misc]
        if "labels" in inputs:
            trainer: Any = self
            counts = learnt_tokens(trainer.model, inputs["labels"]).to(found[0].device)
            parts = trainer.accelerator.gather_for_metrics((found[0].float() * counts, counts))
            self._weighed.append(tuple(part.cpu() for part in parts))
        return found

    def training_step(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """As the trainer's, its tokens counted: padding apart, and for DPO those of both answers."""
        self.watch.count(inputs)
        return super().training_step(model, inputs, *args, **kwargs)  # type: ignore[misc]

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """None: the result gets benchctl's own card."""

    def _get_output_dir(self, trial: Any) -> str:
        return str(checkpoints.draft_folder(Path(super()._get_output_dir(trial=trial))))  # type: ignore[misc]

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        trainer: Any = self
        with untouched(self), self.watch.paused():
            super()._save_checkpoint(model, trial)  # type: ignore[misc]
            state = {**self.watch.state(), "carried": self.carried()}
            trainer.accelerator.wait_for_everyone()
            if trainer.args.should_save:
                folder = Path(trainer.args.output_dir)
                draft = checkpoints.draft_folder(folder) / f"{checkpoints.PREFIX}{trainer.state.global_step}"
                (draft / "training_args.bin").unlink(missing_ok=True)  # pickled, and the recipe says the same
                self.watch.before_seal()
                checkpoints.seal(draft, folder, state)
                self.watch.after_seal()
            trainer.accelerator.wait_for_everyone()


def made_exact(trainer: type, watch: Watch) -> type[Any]:
    """The trainer class with :class:`Exact` in front."""
    return type(f"Exact{trainer.__name__}", (Exact, trainer), {"watch": watch})


def learnt_tokens(model: Any, labels: Any) -> Any:
    """How many labels of each row the loss counts.

    Args:
        labels: ids, -100 where nothing is learnt; ``[rows, tokens]``.
    """
    if not (vectors_first(model) or model.config.is_encoder_decoder):
        labels = labels[:, 1:]  # the first token has nothing before it that could foretell it
    return (labels != -100).sum(dim=1)


def vectors_first(model: Any) -> bool:
    """Whether the adapter's own vectors stand before every text, so that its first token can be learnt too."""
    return bool(getattr(getattr(model, "active_peft_config", None), "is_prompt_learning", False))


@contextlib.contextmanager
def untouched(trainer: Any) -> Iterator[None]:
    """Random numbers and the model's mode are afterwards as they were before."""
    import numpy as np
    import torch

    python, numpy, cpu = random.getstate(), np.random.get_state(), torch.random.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else None
    training = trainer.model.training
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.random.set_rng_state(cpu)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)
        trainer.model.train(training)
