"""Where the stages run, what they have in common, and how one is carried out."""

import json
import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any

from gapnet.runs.layout import BEST, CHECKPOINTS
from gpu_check.child_process import StageFailedError, StageSkippedError, TimeUpError, child, finish
from gpu_check.sizes import Sizes

BENCHMARKS = Path(__file__).resolve().parents[1]
CHECKOUT = BENCHMARKS.parents[1]
PATH = filter(None, [os.environ.get("PYTHONPATH")])
ENVIRONMENT = {
    "PYTHONPATH": os.pathsep.join(map(str, [CHECKOUT, BENCHMARKS, *PATH])),
    "HYDRA_FULL_ERROR": "1",  # so that a log holds the traceback
}
EXACT = {"NVIDIA_TF32_OVERRIDE": "0"}  # TF32 rounds what convs multiply to three digits
DRAWN = "drawn"  # the folder of the data set
OK, FAILED, SKIPPED = "ok", "failed", "skipped"

Env = Mapping[str, str]
NOTHING: Env = {}
Measures = dict[str, Any]  # by name, as JSON can hold them; "summary" says them in a line


@dataclass
class Bench:
    """Where stages run, how large they are, and the time that the present one has.

    Args:
        work: folder that children run in; all that they write is there, and a log of each stage.
        sizes: of the stages.
        accelerator: gpu, or cpu in a rehearsal.
        runs: trainings that have ended.
        stage: name of the present stage.
        deadline: of the present stage, by `time.monotonic()`.
    """

    work: Path
    sizes: Sizes
    accelerator: str
    runs: list[Path] = field(default_factory=list)
    stage: str = ""
    deadline: float = math.inf

    @property
    def log(self) -> Path:
        """Name the log of the present stage."""
        return self.work / f"{self.stage}.log"

    def run(self, *arguments: str, env: Env = NOTHING, cwd: Path | None = None) -> None:
        """Run Python with arguments until it is done, or the stage's time is over."""
        with self.start(*arguments, env=env, cwd=cwd) as process:
            finish(process, log=self.log, deadline=self.deadline)

    def start(
        self, *arguments: str, env: Env = NOTHING, cwd: Path | None = None
    ) -> AbstractContextManager["Popen[bytes]"]:
        """Start Python with arguments; what it caches goes into the work folder."""
        caches = {
            "GAPNET_CACHE": str(self.work / "cache"),
            "TORCHINDUCTOR_CACHE_DIR": str(self.work / "inductor"),
        }
        command = [sys.executable, *arguments]
        together = {**ENVIRONMENT, **caches, **env}
        return child(command, cwd=cwd or self.work, log=self.log, env=together)

    def time_part(self, part: str, **more: str) -> Measures:
        """Have `time_parts.py` time a part in a child."""
        request, outcome = (self.work / f"{part}-{kind}.json" for kind in ("request", "outcome"))
        asked = {"sizes": self.sizes.plain(), "accelerator": self.accelerator, **more}
        request.write_text(json.dumps(asked))
        self.run("-m", "gpu_check.time_parts", part, str(request), str(outcome))
        measures: Measures = json.loads(outcome.read_text())
        return measures

    def need_data(self) -> None:
        """Skip a stage that has no data set to read."""
        if not (self.work / DRAWN).is_dir():
            raise StageSkippedError("there is no data set to read")

    def need_run(self) -> Path:
        """Find a training to evaluate, or skip the stage."""
        trained = (run for run in self.runs if (run / CHECKPOINTS / f"{BEST}.ckpt").is_file())
        run = next(trained, None)
        if run is None:
            raise StageSkippedError("there is no training to evaluate")
        return run


@dataclass(frozen=True)
class Stage:
    """A stage.

    Args:
        name: of the stage and its log.
        what: it does, in a few words.
        work: measures, and raises an error where something is wrong.
        most: seconds that it may take.
        least: seconds that must be left for it to begin.
    """

    name: str
    what: str
    work: Callable[[Bench], Measures]
    most: float
    least: float


def carry_out(stage: Stage, bench: Bench, *, left: float) -> Measures:
    """Carry out a stage in the seconds that are left; give its status and what it measured."""
    if left < stage.least:
        return {"status": SKIPPED, "summary": f"{left:.0f} s are left, too few"}
    begun = time.monotonic()
    bench.stage, bench.deadline = stage.name, begun + min(stage.most, left)
    outcome = _outcome(stage, bench, cut_short=left < stage.most)
    return {"seconds": round(time.monotonic() - begun, 1), **outcome}


def _outcome(stage: Stage, bench: Bench, *, cut_short: bool) -> Measures:
    try:
        return {"status": OK, **stage.work(bench)}
    except StageSkippedError as skipped:
        return {"status": SKIPPED, "summary": str(skipped)}
    except TimeUpError as error:
        told = "the time that was left was too short" if cut_short else str(error)
        return {"status": SKIPPED if cut_short else FAILED, "summary": told}
    except StageFailedError as error:
        return {"status": FAILED, "summary": str(error)}
    except Exception as error:  # whatever a stage runs into, the others are carried out
        return {"status": FAILED, "summary": f"{type(error).__name__}: {error}"}
