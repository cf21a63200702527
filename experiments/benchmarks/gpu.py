"""Check gapnet on one CUDA device, and time it: tests, trainings, a resumed one, evaluations.

python experiments/benchmarks/gpu.py [--minutes 8] [--to runs/gpu] [--only draw,tests] [--rehearse]
"""

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(1, str(CHECKOUT))  # the Python that runs this need not have gapnet installed

import torch  # noqa: E402
from gpu_check.bench import FAILED, OK, SKIPPED, Bench, Stage, carry_out  # noqa: E402
from gpu_check.child_process import StageFailedError  # noqa: E402
from gpu_check.report import markdown  # noqa: E402
from gpu_check.sizes import REHEARSAL, full_size  # noqa: E402
from gpu_check.stages import stages  # noqa: E402

from gapnet.system.files import write_file  # noqa: E402
from gapnet.system.signals import handled, raise_stopped  # noqa: E402

MINUTES = 8.0
WRAPPED = textwrap.TextWrapper(
    80, subsequent_indent=" " * 9, break_long_words=False, break_on_hyphens=False
)
WORK = "gpu-check"  # a folder, made anew
DEVICE = 120  # seconds in which it must answer
COMMAND = ["python", "experiments/benchmarks/gpu.py"]
COMMIT = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"]


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=MINUTES, help="that it may take")
    parser.add_argument("--to", type=Path, default=CHECKOUT / "runs" / "gpu", help="folder")
    parser.add_argument("--only", type=_names, default=(), help="names of stages, by commas")
    parser.add_argument("--rehearse", action="store_true", help="on the CPU, in miniature")
    return parser.parse_args(arguments)


def _names(text: str) -> tuple[str, ...]:
    """Read names that commas separate."""
    return tuple(text.split(","))


def main(arguments: Sequence[str]) -> int:
    """Carry out the stages; give the status of the process."""
    asked, begun = parse(arguments), time.monotonic()
    if not (asked.rehearse or torch.cuda.is_available()):
        print(
            f"gpu.py: torch {torch.__version__} finds no CUDA device; --rehearse runs every stage "
            "on the CPU, in miniature",
            file=sys.stderr,
        )
        return 1
    bench = open_bench(asked.to.absolute(), rehearse=asked.rehearse)
    chosen = choose(stages(bench.sizes), asked.only)
    results = describe(bench, asked)
    with handled(raise_stopped):  # and so end a child that is running
        carry_out_all(bench, chosen, results, begun)
    return conclude(results, asked.to)


def open_bench(folder: Path, *, rehearse: bool) -> Bench:
    """Make the folder that the stages write into, in place of that of an earlier call."""
    work = folder / WORK
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    sizes = REHEARSAL if rehearse else full_size()
    return Bench(work, sizes, "cpu" if rehearse else "gpu")


def choose(known: list[Stage], names: Sequence[str]) -> list[Stage]:
    """Choose stages by their names, in their order; without names all of them."""
    unknown = set(names) - {stage.name for stage in known}
    if unknown:
        listed = ", ".join(stage.name for stage in known)
        sys.exit(f"gpu.py: --only={','.join(sorted(unknown))}: must be among {listed}")
    return [stage for stage in known if not names or stage.name in names]


def describe(bench: Bench, asked: argparse.Namespace) -> dict[str, Any]:
    """Say what is measured, on what and how, with no result yet."""
    bench.stage, bench.deadline = "device", time.monotonic() + DEVICE
    return {
        "rehearsal": asked.rehearse,
        "device": bench.time_part("device"),
        "command": shlex.join([*COMMAND, *sys.argv[1:]]),
        "commit": _commit(),
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "minutes": asked.minutes,
        "seconds": 0.0,
        "sizes": bench.sizes.plain(),
        "stages": {},
    }


def carry_out_all(bench: Bench, chosen: list[Stage], results: dict[str, Any], begun: float) -> None:
    """Carry out one stage after the other, and write what is known after each."""
    name, minutes = results["device"]["name"], results["minutes"]
    say(begun, f"gapnet on {name}, at most {minutes:g} minutes, into {bench.work.parent}")
    for stage in chosen:
        say(begun, f"{stage.name}: {stage.what}")
        left = 60 * minutes - (time.monotonic() - begun)
        outcome = carry_out(stage, bench, left=left)
        results["stages"][stage.name] = outcome
        took = f" in {outcome['seconds']:.0f} s" if "seconds" in outcome else ""
        say(begun, f"  {outcome['status']}{took}: {outcome['summary']}")
        if outcome["status"] == FAILED:
            say(begun, f"  see {bench.log}")
        results["seconds"] = round(time.monotonic() - begun, 1)
        write_file(bench.work.parent / "gpu.json", json.dumps(results, indent=2) + "\n")
        write_file(bench.work.parent / "gpu.md", markdown(results))


def say(begun: float, text: str) -> None:
    """Print a text behind the time since the start."""
    minutes, seconds = divmod(int(time.monotonic() - begun), 60)
    print(WRAPPED.fill(f"{minutes:2}:{seconds:02}  {text}"), flush=True)


def conclude(results: dict[str, Any], folder: Path) -> int:
    """Print the verdict; give the status of the process."""
    statuses = [stage["status"] for stage in results["stages"].values()]
    counts = ", ".join(f"{statuses.count(each)} {each}" for each in (OK, FAILED, SKIPPED))
    print(f"{counts}; {folder / 'gpu.json'}, {folder / 'gpu.md'}")
    return int(FAILED in statuses)


def _commit() -> str | None:
    """Name the commit, with a + if files have changed."""
    try:
        done = subprocess.run(COMMIT, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except StageFailedError as error:  # of the device itself
        sys.exit(f"gpu.py: {error}")
