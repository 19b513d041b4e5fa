"""Runs a piece of work in a fresh process, and writes what was measured beside how it was measured.

    from _measure import measure, write_result
    cost = measure(work, "argument", repeats=3)   # {"cpu_s": ..., "wall_s": ..., "peak_mb": ..., ...}
    write_result("name", {"sizes": ..., "seed": 0, "ours": cost})

Compare CPU seconds: other work on the machine hardly changes them. Numbers of one file come from one machine and
one run, so ratios within a file mean something, and ratios across files do not.
"""

import contextlib
import json
import multiprocessing
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def measure(
    work: Callable[..., Callable[[], Any]], *arguments: Any, repeats: int = 1, threads: int = 1
) -> dict[str, Any]:
    """Measures ``work(*arguments)()`` in fresh processes.

    ``work`` is a function of the calling script's top level. It prepares the input and returns a callable; only
    the callable is timed.

    Args:
        work: Prepares and returns what is to be measured.
        *arguments: Picklable arguments of ``work``.
        repeats: Number of processes; the medians of the times and the largest peak are reported.
        threads: Threads that BLAS and OpenMP may use in the process.

    Returns:
        ``cpu_s``, ``wall_s``, ``peak_mb`` (the process's peak resident memory), ``extra_mb`` (that peak above what
        was resident when the work began), ``prepared_mb``, ``repeats``, ``threads``, and ``value``: what the
        callable returned, if JSON can hold it.
    """
    runs = [_run(work, arguments, threads) for _ in range(repeats)]
    summary = {name: statistics.median(run[name] for run in runs) for name in ("cpu_s", "wall_s")}
    summary |= {name: max(run[name] for run in runs) for name in ("peak_mb", "extra_mb")}
    summary = {name: round(value, 3) for name, value in summary.items()}
    prepared = round(runs[-1]["prepared_mb"], 1)
    summary |= {"prepared_mb": prepared, "repeats": repeats, "threads": threads}
    with contextlib.suppress(TypeError):
        json.dumps(runs[-1]["value"])
        summary["value"] = runs[-1]["value"]
    return summary


def write_result(name: str, payload: dict[str, Any]) -> Path:
    """Writes ``results/<name>.json``: the payload, the machine, and the versions it was measured with."""
    record = payload | {
        "versions": {"python": platform.python_version()} | _versions(),
        "machine": f"{platform.machine()}, {os.cpu_count()} logical cores",
    }
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=2) + "\n")
    sys.stdout.write(json.dumps(record, indent=2) + "\n")
    return path


def _versions() -> dict[str, str]:
    import keras_reid

    found = {"keras-reid": keras_reid.__version__}
    for package in ("numpy", "scipy", "keras", "tensorflow", "tensorflow-cpu", "jax", "torch"):
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _run(work: Callable[..., Callable[[], Any]], arguments: Any, threads: int) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    with _environment({name: str(threads) for name in _THREAD_VARIABLES}):
        child = context.Process(target=_child, args=(sender, work, arguments))
        child.start()
    sender.close()
    try:
        result = receiver.recv()
    except EOFError:
        child.join()
        raise RuntimeError(
            f"The measured process of {work.__name__!r} ended with code {child.exitcode} and no "
            "result; its own message stands above."
        ) from None
    child.join()
    return result


def _child(sender: Any, work: Callable[..., Callable[[], Any]], arguments: Any) -> None:
    prepared = work(*arguments)
    before = _resident_mb()
    # What was needed for preparing must not count: start the peak anew where the system can.
    reset = _reset_peak()
    wall, cpu = time.perf_counter(), time.process_time()
    value = prepared()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = _peak_mb(reset)
    sender.send(
        {
            "cpu_s": cpu,
            "wall_s": wall,
            "peak_mb": peak,
            "extra_mb": peak - before,
            "prepared_mb": before,
            "value": value,
        }
    )
    sender.close()


def _reset_peak() -> bool:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _status_mb(field: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/self/status has no {field}.")


def _resident_mb() -> float:
    if Path("/proc/self/status").exists():
        return _status_mb("VmRSS:")
    return _largest_mb()


def _peak_mb(reset: bool) -> float:
    return _status_mb("VmHWM:") if reset else _largest_mb()


def _largest_mb() -> float:
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / (2**20 if sys.platform == "darwin" else 2**10)


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
