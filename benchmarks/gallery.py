"""A gallery of 100,000 embeddings beside you: enrolling, searching, disk, memory, recall, filters, and ten kills.

    nice python benchmarks/gallery.py                 # writes results/gallery.json; about ten minutes of CPU
    python benchmarks/gallery.py --entries 2000 --kills 2

The embeddings are drawn as those of a trained network lie: ten images a person, cosines of about 0.67 within a person
and of 0 between people, and variances that fall from direction to direction of the 512 as (i + 16)^-2.5. So 52
directions hold 90 % of the variance and it is spread over 28 (the squared sum of the variances over the sum of their
squares); of 3408 images by a trained `dcml_tiny` it was 66 and 29. Directions that all count the same would have no
neighbours beside a person's own images for a graph to find. The queries are new images of people who are enrolled.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from _measure import measure, write_result

from keras_reid.gallery import Condition, Fingerprint, Gallery, field

DIMENSION = 512
IMAGES_OF_A_PERSON = 10
WITHIN_A_PERSON = np.float32(0.7)  # deviation of an image from its person, of people from their mean 1
CAMERAS = 12
SECONDS = 86400.0
SITES = np.array(["north", 'the "west" gate', "south\\east", "é"])
MADE_BY = Fingerprint("synthetic", DIMENSION, "seed 0")
TOP = 50


def drawn(entries: int, seed: int, count: int | None = None) -> np.ndarray:
    """Images [count, 512] of unit norm, as many as entries by default; the people are the same for every seed."""
    spread = ((np.arange(DIMENSION) + 16.0) ** -1.25).astype("float32")
    people = np.random.default_rng(0).standard_normal((max(entries // IMAGES_OF_A_PERSON, 1), DIMENSION), "float32")
    rng = np.random.default_rng(seed)
    images = people[rng.integers(len(people), size=entries if count is None else count)]
    images += WITHIN_A_PERSON * rng.standard_normal(images.shape, "float32")
    images *= spread
    return images / np.linalg.norm(images, axis=1, keepdims=True)


def queries(entries: int, count: int) -> np.ndarray:
    return drawn(entries, 2, count)


def known(entries: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    return {
        "camera": rng.integers(0, CAMERAS, entries),
        "time": rng.uniform(0, SECONDS, entries),
        "site": SITES[rng.integers(0, len(SITES), entries)],
    }


def enrol(gallery: Gallery, entries: int, progress: Callable[[int, int], None] | None = None) -> None:
    facts = known(entries)
    gallery.enrol(
        features=drawn(entries, 1),
        keys=[f"{number:08d}" for number in range(entries)],
        cameras=facts["camera"],
        times=facts["time"],
        fields={"site": facts["site"].tolist()},
        batch_size=1000,
        progress=progress,
    )


def enrolling(path: str, index: str, entries: int) -> Callable[[], dict[str, Any]]:
    gallery = Gallery(path, MADE_BY, fields={"site": str}, index=index)

    def work() -> dict[str, Any]:
        begin = time.perf_counter(), time.process_time()
        enrol(gallery, entries)
        written = time.perf_counter(), time.process_time()
        gallery.flush()
        gallery.close()  # waits for the index
        return {
            "write_wall_s": round(written[0] - begin[0], 2),
            "write_cpu_s": round(written[1] - begin[1], 2),
            "flush_and_index_wall_s": round(time.perf_counter() - written[0], 2),
            "flush_and_index_cpu_s": round(time.process_time() - written[1], 2),
        }

    return work


def opening(path: str) -> Callable[[], int]:
    from pymilvus import MilvusClient  # noqa: F401  what importing costs is not what opening costs

    def work() -> int:
        with Gallery(path, MADE_BY) as gallery:
            return len(gallery.search(features=queries(10, 1), top_k=1)[0])

    return work


def conditions() -> dict[str, tuple[Condition, Callable[[dict[str, np.ndarray]], np.ndarray]]]:
    """Name -> the condition, and which entries it holds for."""
    hour = field("time").between(3600.0, 7200.0)
    return {
        "other cameras": (field("camera") != 3, lambda it: it["camera"] != 3),
        "an hour": (hour, lambda it: (it["time"] >= 3600.0) & (it["time"] <= 7200.0)),
        "a site": (field("site") == str(SITES[1]), lambda it: it["site"] == SITES[1]),
        "all three": (
            (field("camera") != 3) & hour & (field("site") == str(SITES[2])),
            lambda it: (it["camera"] != 3) & (it["time"] >= 3600.0) & (it["time"] <= 7200.0) & (it["site"] == SITES[2]),
        ),
    }


def searching(path: str, entries: int, count: int) -> Callable[[], dict[str, Any]]:
    gallery = Gallery(path, MADE_BY)
    gallery.search(features=queries(entries, 1), top_k=TOP)  # what is loaded on first use

    def timed(found: list, **arguments: Any) -> dict[str, float]:
        walls, cpu = [], time.process_time()
        for query in queries(entries, count):
            begin = time.perf_counter()
            found.append([match.key for match in gallery.search(features=query[None], top_k=TOP, **arguments)[0]])
            walls.append(1e3 * (time.perf_counter() - begin))
        return {
            "p50_ms": round(float(np.percentile(walls, 50)), 1),
            "p99_ms": round(float(np.percentile(walls, 99)), 1),
            "cpu_ms": round(1e3 * (time.process_time() - cpu) / count, 1),
        }

    def work() -> dict[str, Any]:
        facts, images = known(entries), drawn(entries, 1)
        cosines = queries(entries, count) @ images.T
        found: list[list[str]] = []
        result: dict[str, Any] = {"one_query": timed(found), "recall_at_50": recall(cosines, found, None)}
        begin = time.perf_counter(), time.process_time()
        gallery.search(features=queries(entries, count), top_k=TOP)
        result["queries_together"] = {
            "queries": count,
            "wall_ms_each": round(1e3 * (time.perf_counter() - begin[0]) / count, 1),
            "cpu_ms_each": round(1e3 * (time.process_time() - begin[1]) / count, 1),
        }
        for name, (where, holds) in conditions().items():
            found, allowed = [], holds(facts)
            latency = timed(found, where=where)
            kept = {f"{number:08d}" for number in np.flatnonzero(allowed)}
            result[f"where {name}"] = latency | {
                "entries": int(allowed.sum()),
                "recall_at_50": recall(cosines, found, allowed),
                "found_that_should_not_be": sum(key not in kept for row in found for key in row),
                "count_is_right": gallery.count(where) == int(allowed.sum()),
            }
        gallery.close()
        return result

    return work


def recall(cosines: np.ndarray, found: list[list[str]], allowed: np.ndarray | None) -> float:
    """Share of the exact best 50 that were found; entries that tie at the last place all count."""
    shares = []
    for row, keys in zip(cosines, found, strict=True):
        values = row if allowed is None else np.where(allowed, row, -2.0)
        many = min(TOP, int((values > -2.0).sum()))
        bound = np.sort(values)[-many] - 1e-6
        shares.append(sum(values[int(key)] >= bound for key in keys) / many)
    return round(float(np.mean(shares)), 4)


def endless(path: str, entries: int, sender: Any) -> None:
    """What is killed."""
    gallery = Gallery(path, MADE_BY, fields={"site": str})
    enrol(gallery, entries, progress=lambda done, total: sender.send(done))


def killed(folder: Path, entries: int, times: int) -> dict[str, Any]:
    """Kills a process that enrols, at a random moment, and looks at what is there."""
    os.environ["MILVUS_LITE_MEMTABLE_MEMORY_LIMIT_BYTES"] = str(4 << 20)  # so that it writes segments all the time
    context, rng = multiprocessing.get_context("spawn"), np.random.default_rng(0)
    given, path = drawn(entries, 1), str(folder / "killed.db")
    lost = twice = wrong = between = 0
    for _ in range(times):
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=endless, args=(path, entries, sender))
        child.start()
        sender.close()
        said = 0
        for _ in range(int(rng.integers(1, entries // 1000))):
            said = receiver.recv()
        time.sleep(rng.uniform(0, 0.5))
        child.kill()
        child.join()
        try:
            while True:  # what it said before it died
                said = receiver.recv()
        except EOFError:
            pass
        with Gallery(path, MADE_BY) as gallery:
            rows = [row for page in gallery._open.pages("", ["embedding"]) for row in page]
            numbers = np.array([int(row["key"]) for row in rows])
            lost += said > len(set(numbers.tolist()))
            twice += len(numbers) != len(set(numbers.tolist())) or len(gallery) != len(numbers)
            between += len(numbers) % 1000 != 0
            stored = np.asarray([row["embedding"] for row in rows], "float32")
            wrong += not np.allclose(stored, given[numbers], atol=1e-6)
    return {
        "kills": times,
        "entries": entries,
        "batch": 1000,
        "times_a_written_batch_was_lost": lost,
        "times_an_entry_was_there_twice": twice,
        "times_a_batch_was_there_in_part": between,
        "times_an_embedding_differed": wrong,
    }


def markdown(payload: dict[str, Any]) -> str:
    """The table of docs/concepts/gallery.md."""
    chosen = [index for index in ("exact", "hnsw") if index in payload]
    found = [payload[index] for index in chosen]
    searches = [one["search"]["value"] for one in found]
    narrow = "where all three"
    rows = {
        "entries written, per CPU second": [one["entries_per_cpu_s"] for one in found],
        "flushing and the index, CPU s": [one["enrol"]["value"]["flush_and_index_cpu_s"] for one in found],
        "disk, MB": [one["disk_mb"] for one in found],
        "peak memory of enrolling, of searching, MB": [
            f"{one['enrol']['peak_mb']:.0f}, {one['search']['peak_mb']:.0f}" for one in found
        ],
        "opening and the first search, CPU s": [one["open_and_first_search"]["cpu_s"] for one in found],
        "one query, ms: p50, p99 (CPU)": [
            "{p50_ms}, {p99_ms} ({cpu_ms})".format(**one["one_query"]) for one in searches
        ],
        "queries together, CPU ms each": [one["queries_together"]["cpu_ms_each"] for one in searches],
        "recall at 50 against brute force": [one["recall_at_50"] for one in searches],
        f"the same under a condition of {searches[0][narrow]['entries']} entries": [
            one[narrow]["recall_at_50"] for one in searches
        ],
        "found against a condition": [
            sum(part["found_that_should_not_be"] for name, part in one.items() if name.startswith("where"))
            for one in searches
        ],
    }
    lines = [
        f"| {payload['entries']:,} entries of {DIMENSION} numbers | {' | '.join(chosen)} |",
        "|---" * (len(found) + 1) + "|",
    ]
    return "\n".join(lines + [f"| {name} | {' | '.join(map(str, values))} |" for name, values in rows.items()])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--killed-entries", type=int, default=20_000)
    parser.add_argument("--index", nargs="+", default=["exact", "hnsw"])
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="keras_reid_gallery_"))
    payload: dict[str, Any] = {
        "entries": options.entries,
        "dimension": DIMENSION,
        "queries": options.queries,
        "seed": 0,
        # Wall times mean something where this is below 1; CPU times always do.
        "load_at_the_start": round(os.getloadavg()[0], 1),
    }
    try:
        for index in options.index:
            path = str(folder / f"{index}.db")
            enrolled = measure(enrolling, path, index, options.entries)
            disk = sum(file.stat().st_size for file in Path(path).rglob("*") if file.is_file())
            payload[index] = {
                "enrol": enrolled,
                "entries_per_cpu_s": round(options.entries / enrolled["value"]["write_cpu_s"]),
                "disk_mb": round(disk / 2**20, 1),
                "open_and_first_search": measure(opening, path),
                "search": measure(searching, path, options.entries, options.queries),
            }
            print(json.dumps({index: payload[index]}), file=sys.stderr, flush=True)
        payload["kills"] = killed(folder, min(options.entries, options.killed_entries), options.kills)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    from importlib.metadata import version

    payload["engine"] = {name: version(name) for name in ("pymilvus", "milvus-lite", "faiss-cpu")}
    write_result("gallery", payload)
    print(f"\n{markdown(payload)}")


if __name__ == "__main__":
    main()
