"""The main job: draw people, train on one site, test there and on another site's cameras, explain it in a report."""

import os
import time
from pathlib import Path

from keras_reid.progress import progress_line

__all__ = ["demo"]


def demo(
    out: str | os.PathLike = "runs/demo",
    *,
    name: str = "baseline_tiny",
    epochs: int | None = None,
    seed: int = 0,
    resume: bool = False,
) -> Path:
    """Renders two synthetic sites, trains a tiny model on site A, tests it on A and directly on B, writes a report.

    Args:
        out: Folder of the run; the images go to ``out/data``.
        name: Zoo entry to train.
        epochs: Number of epochs; the recipe's own by default.
        seed: Seed of people, weights, order and augmentation.
        resume: Go on with an interrupted demo.

    Returns:
        Path of the HTML report.

    Raises:
        ValueError: ``out`` holds another run.
        KeyboardInterrupt: After Ctrl-C; ``resume=True`` goes on.
    """
    from keras_reid.datasets import load
    from keras_reid.run import run

    out = Path(out)
    start = time.monotonic()
    print("1/3  Drawing the people of sites A and B (six cameras each) ...", flush=True)
    home, away = (
        load("synthetic", root=out / "data", site=site, seed=seed, progress=progress_line(f"     site {site}"))
        for site in "AB"
    )
    print(f"     {len(home.train)} training images of {home.train.num_persons} people.", flush=True)
    print(f"2/3  Training {name} on site A; Ctrl-C stops it so that --resume goes on ...", flush=True)
    begun = (out / "run" / "config.json").exists()  # it may have been interrupted while drawing
    _, reports = run(name, home, out / "run", test_sets=[away], epochs=epochs, seed=seed, resume=resume and begun)
    print("3/3  Tested on both sites:\n")
    for report in reports.values():
        print(report, end="\n\n")
    page = out / "run" / "report.html"
    print(f"The report with ranked panels and curves: {page.resolve()}")
    print(f"Done in {(time.monotonic() - start) / 60:.1f} minutes.")
    return page
