"""Training images per CPU second: our pipeline three ways, against a plain loop over Pillow.

All make float32 batches of 64 images, 256x128, in [0, 1], from 64x128 JPEG crops (the size of
Market-1501's) by the same operations: decode, resize, flip, pad, crop, erase. The pipeline's
caches are filled before the clock starts. CPU seconds are those of the whole process, all threads;
the ways take turns, and the median over the rounds counts. All of it twice: on one CPU, and on all,
where our threads gain time and lose CPU seconds to the interpreter lock (the loop has one thread).

    python benchmarks/input_pipeline.py
"""

import argparse
import multiprocessing
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import PIL
from _measure import write_result
from PIL import Image, ImageOps

from keras_reid import pipeline
from keras_reid.datasets import ReIDTable

HEIGHT, WIDTH, BATCH, PADDING = 256, 128, 64, 10
MEAN_COLOR = (124, 116, 104)


def write_crops(folder: Path, count: int) -> ReIDTable:
    """Writes JPEG crops with blobs of colour and sensor noise, about 3.5 kB each."""
    rng = np.random.default_rng(0)
    paths = []
    for number in range(count):
        blobs = Image.fromarray(rng.integers(0, 256, (16, 8, 3), np.uint8))
        smooth = np.asarray(blobs.resize((64, 128), Image.Resampling.BICUBIC), np.int16)
        noisy = smooth + rng.integers(-6, 7, smooth.shape)
        paths.append(folder / f"{number:05d}.jpg")
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(paths[-1], quality=90)
    return ReIDTable.from_columns(paths, np.arange(count) // 16)


def pillow_batches(paths: list[str]) -> Iterator[np.ndarray]:
    """The plain loop."""
    paths = random.sample(paths, len(paths))
    for first in range(0, len(paths) - BATCH + 1, BATCH):
        yield np.stack([pillow_image(path) for path in paths[first : first + BATCH]])


def pillow_image(path: str) -> np.ndarray:
    """Decodes and augments one image as PIL images, and turns it into floats."""
    image = Image.open(path).convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
    if random.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    image = ImageOps.expand(image, PADDING)
    left, top = random.randint(0, 2 * PADDING), random.randint(0, 2 * PADDING)
    image = image.crop((left, top, left + WIDTH, top + HEIGHT))
    if random.random() < 0.5:
        erase(image)
    return np.asarray(image, np.float32) * np.float32(1 / 255)


def erase(image: Image.Image) -> None:
    """Random erasing in place."""
    for _ in range(100):
        area = random.uniform(0.02, 0.4) * HEIGHT * WIDTH
        aspect = random.uniform(0.3, 3.33)
        height, width = round((area * aspect) ** 0.5), round((area / aspect) ** 0.5)
        if height <= HEIGHT and width <= WIDTH:
            left, top = random.randint(0, WIDTH - width), random.randint(0, HEIGHT - height)
            image.paste(MEAN_COLOR, (left, top, left + width, top + height))
            return


def images_per_cpu_second(batches: Callable[[], Iterator[np.ndarray]]) -> float:
    """Consumes an epoch."""
    start, count = time.process_time(), 0
    for batch in batches():
        count += len(batch)
    return count / (time.process_time() - start)


def ratios(count: int, rounds: int, one_cpu: bool) -> dict[str, object]:
    """Measures all ways, round by round, in a process of its own."""
    if one_cpu:
        # Before TensorFlow makes its threads; they inherit it.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        table = write_crops(Path(folder), count)

        def ours(cache: pipeline.MemoryCache | None) -> Callable[[], Iterator[np.ndarray]]:
            dataset = pipeline.training(table, (HEIGHT, WIDTH), pipeline.UniformSampler(BATCH), cache=cache)
            return lambda: (batch["image"] for batch in dataset)

        ways = {
            "pillow loop": lambda: pillow_batches(table.path.tolist()),
            "from files": ours(None),
            "native cache": ours(pipeline.MemoryCache("native")),
            "resized cache": ours(pipeline.MemoryCache("resized")),
        }
        for batches in ways.values():
            next(batches())  # imports, traces, file system cache
        speeds = [{name: images_per_cpu_second(batches) for name, batches in ways.items()} for _ in range(rounds)]
    summary: dict[str, object] = {}
    for name in ways:
        relative = sorted(speed[name] / speed["pillow loop"] for speed in speeds)
        summary[name] = {
            "images_per_cpu_second": round(float(np.median([speed[name] for speed in speeds]))),
            "ratio": round(float(np.median(relative)), 2),
            "ratio_range": [round(relative[0], 2), round(relative[-1], 2)],
        }
    return summary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    result = {
        "what": "training images per CPU second, and how many times the plain Pillow loop that is",
        "size": {"file": [128, 64], "batch": [BATCH, HEIGHT, WIDTH, 3]},
        "images": arguments.images,
        "rounds": arguments.rounds,
        "seed": 0,
        "pillow": PIL.__version__,
    }
    for name, one_cpu in (("one_cpu", True), ("all_cpus", False)):
        with multiprocessing.get_context("spawn").Pool(1) as process:
            result[name] = process.apply(ratios, (arguments.images, arguments.rounds, one_cpu))
    write_result("input_pipeline", result)


if __name__ == "__main__":
    main()
