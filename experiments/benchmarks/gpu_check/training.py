"""The stages that train: timed, and killed and resumed."""

import json
import math
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from gapnet.models.checkpoint_file import read_checkpoint
from gapnet.runs.layout import CHECKPOINTS, LAST, TRAINED
from gpu_check.bench import CHECKOUT, DRAWN, EXACT, Bench, Measures
from gpu_check.child_process import StageFailedError, StageSkippedError, TimeUpError, kill
from gpu_check.compare import compare_weights
from gpu_check.step_clock import FILE as CLOCK

ENDS = 0.1  # share of the steps whose losses stand for the beginning, and for the end
KILLED_AT = 3  # checkpoints
SAYS = "going on from"  # a training that is resumed
POLL = 0.002  # seconds
EACH_STEP = "callbacks.last.minutes=0.0001"  # a checkpoint
# A short training of a network with dropout, but without batch norms: with these, rounding alone
# moves a gradient by a hundredth
SHORT = (
    *("model=alexnet_star_gap", "model.profile=caffe"),
    *("optim=sgd", "optim.lr=0.01", "trainer.max_epochs=2", "trainer.precision=32-true"),
)
# Of the way that was left. Numbers that are added up in another order make it some 0.00005, a
# momentum that is lost on the way 0.6. On a CPU nothing may differ.
ALLOWED = {"gpu": 0.01, "cpu": 0.0}


@dataclass(frozen=True)
class TimedTraining:
    """A stage that times a training, whose loss must be finite and go down.

    Args:
        precision: trainer.precision.
        compiled: classifier.compile.
        deterministic: as by default; otherwise cuDNN may choose its fastest algorithms.
    """

    precision: str
    compiled: bool = False
    deterministic: bool = True

    def __call__(self, bench: Bench) -> Measures:
        """Train, and read what the clock has written."""
        bench.need_data()
        if self.compiled and not _has_compiler():
            raise StageSkippedError("torch.compile needs a C compiler")
        bench.run(*_command(bench, bench.stage, *self._settings(), *_clocked(bench)))
        run = bench.work / bench.stage
        bench.runs.append(run)
        measures: Measures = json.loads((run / CLOCK).read_text())
        first, last = _check_losses(measures.pop("losses"))
        rate = measures["images_per_second"]
        told = "epochs too short to time" if rate is None else f"{rate:,.0f} images/s"
        return {
            **self.__dict__,
            **measures,
            "first_loss": first,
            "last_loss": last,
            "summary": f"{told}, loss {first:.2f} to {last:.2f}",
        }

    def _settings(self) -> list[str]:
        free = ["trainer.deterministic=false", "+trainer.benchmark=true"]
        return [
            f"trainer.precision={self.precision}",
            f"classifier.compile={str(self.compiled).lower()}",
            *([] if self.deterministic else free),
        ]


def _has_compiler() -> bool:
    """Tell whether there is what Triton takes."""
    return "CC" in os.environ or any(map(shutil.which, ("gcc", "clang")))


def _command(bench: Bench, folder: str, *more: str) -> list[str]:
    """Give the command line of a training into a folder."""
    sizes = bench.sizes
    return [
        str(CHECKOUT / "train.py"),
        *(f"folder={folder}", f"data.root={DRAWN}", "evaluate=false"),
        *(f"data.{name}={value}" for name, value in sizes.data().items()),
        *(f"loader.batch_size={sizes.batch}", f"loader.num_workers={sizes.workers}"),
        *(f"trainer.accelerator={bench.accelerator}", "classifier.channels_last=true"),
        *more,
    ]


def _clocked(bench: Bench) -> list[str]:
    """Give the overrides that have a training timed, and validated at its end alone."""
    sizes = bench.sizes
    return [
        *sizes.network,
        *sizes.recipe,
        *(f"trainer.max_epochs={sizes.epochs}", f"trainer.check_val_every_n_epoch={sizes.epochs}"),
        "imports=[gpu_check.step_clock]",
        "+callbacks.clock._target_=gpu_check.step_clock.StepClock",
        f"+callbacks.clock.skip={sizes.skip}",
    ]


def _check_losses(losses: Sequence[float]) -> tuple[float, float]:
    """Give the mean loss of the first and of the last steps."""
    if not all(map(math.isfinite, losses)):
        raise StageFailedError("a loss is not finite")
    count = max(1, round(ENDS * len(losses)))
    first, last = fmean(losses[:count]), fmean(losses[-count:])
    if not last < first:
        raise StageFailedError(f"the loss did not go down ({first:.3f} to {last:.3f})")
    return first, last


def interrupt(bench: Bench) -> Measures:
    """Kill a training in mid-epoch, have it go on, and compare it with one that was left alone."""
    bench.need_data()
    short = [*SHORT, *bench.sizes.interrupted]
    bench.run(*_command(bench, "straight", *short), env=EXACT)
    interrupted = _command(bench, "interrupted", *short, EACH_STEP)
    killed = _kill_in_mid_training(bench, interrupted)
    bench.run(*interrupted, "resume=auto", env=EXACT)
    straight, resumed = (bench.work / folder for folder in ("straight", "interrupted"))
    steps = json.loads((straight / TRAINED).read_text())["steps"]
    if SAYS not in bench.log.read_text(errors="replace"):
        raise StageFailedError(f"resume=auto does not say {SAYS!r}")
    step = _check_resumed(resumed, killed, steps=steps)
    found = compare_weights(_last(straight), _last(resumed), since=killed)
    allowed = ALLOWED[bench.accelerator]
    told = (
        f"weights off by {found.share:.1e} of the way that was left (allowed: {allowed:g}), each "
        f"by {found.largest:.1e} at most"
    )
    if found.share > allowed:
        raise StageFailedError(f"{told}, in {found.tensor}")
    return {
        "killed_at_step": step,
        "steps": steps,
        "difference": found._asdict(),
        "allowed_share": allowed,
        "summary": f"killed after step {step} of {steps}, {told}",
    }


def _kill_in_mid_training(bench: Bench, arguments: Sequence[str]) -> Path:
    """Kill a training after its third checkpoint; give a copy of the last one."""
    last, seen = _last(bench.work / "interrupted"), set[int]()
    with bench.start(*arguments, env=EXACT) as process:
        while len(seen) < KILLED_AT:
            if process.poll() is not None:
                raise StageFailedError("the training ended before it could be killed")
            if time.monotonic() > bench.deadline:
                raise TimeUpError("was not done in time")
            if last.is_file():
                seen.add(last.stat().st_mtime_ns)
            time.sleep(POLL)
        kill(process)
    return Path(shutil.copy2(last, bench.work / "interrupted.ckpt"))


def _check_resumed(run: Path, killed: Path, *, steps: int) -> int:
    """Check where a resumed training says that it went on, and where it ended; give the first."""
    told = json.loads((run / TRAINED).read_text())
    step = int(read_checkpoint(killed)["global_step"])
    reached = read_checkpoint(_last(run))["global_step"]
    if not 0 < step < steps:
        raise StageFailedError(f"the training was killed at step {step} of {steps}")
    if told["resumed_at"] != step:
        raise StageFailedError(f"resume=auto went on from step {told['resumed_at']}, not {step}")
    if (told["steps"], reached) != (steps, steps):
        raise StageFailedError(f"the resumed training ended at step {reached}, not {steps}")
    return step


def _last(run: Path) -> Path:
    return run / CHECKPOINTS / f"{LAST}.ckpt"
