"""The process is killed in the middle of its work, again and again; what it had said it wrote is there."""

import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from keras_reid.gallery import Fingerprint, Gallery
from tests.gallery.crash_child import BATCH, DIMENSION, Matcher, embeddings, maps

MADE_BY = Fingerprint("killed", DIMENSION, "v1")
# So small that segments are written and merged all the time: kills meet every stage of the engine.
TIGHT = {"MILVUS_LITE_MEMTABLE_MEMORY_LIMIT_BYTES": "40000"}


def killed(path, task, count, after, delay):
    """Runs the child, kills it some time after it has said ``after`` lines, and returns the lines."""
    command = [sys.executable, "-m", "tests.gallery.crash_child", str(path), task, str(count)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **TIGHT})
    with child:
        lines = []
        for line in child.stdout:
            lines.append(line.strip())
            if len(lines) == after:
                time.sleep(delay)
                child.kill()
        # What was still in the pipe when the kill came is in `lines`, too.
    return lines


def contents(gallery):
    pages = list(gallery._open.pages("", ["camera", "embedding"]))
    return [row for page in pages for row in page]


def check(path, least, most, model=MADE_BY):
    """At least ``least`` entries, at most ``most``, none twice, all as they were given."""
    given, queries = embeddings(most), embeddings(most) if model is MADE_BY else maps(most)
    with Gallery(path, model) as gallery:
        rows = contents(gallery)
        numbers = [int(row["key"].split()[1]) for row in rows]
        assert len(set(numbers)) == len(numbers) == len(gallery)
        assert sorted(numbers) == list(range(len(numbers)))  # batches in order, without a gap
        assert least <= len(numbers) <= most
        np.testing.assert_allclose([row["embedding"] for row in rows], given[numbers], atol=1e-6)
        assert [row["camera"] for row in rows] == [number % 7 for number in numbers]
        if model is not MADE_BY:
            check_features(gallery, numbers, queries)
        if numbers:
            found = gallery.search(features=queries[: len(numbers) // 10 or 1], top_k=1)
            assert [match.key for (match,) in found] == [f"key {number}" for number in range(len(found))]
    return len(numbers)


def check_features(gallery, numbers, given):
    """Every entry has the features that were enrolled, and the folder has one file, of this gallery."""
    keys, file = [f"key {number}" for number in numbers], gallery._store.features
    rows = gallery._store.get(keys, ["feature_row"])
    there, stored = file.read([rows[key]["feature_row"] for key in keys], keys)
    assert there.all()
    np.testing.assert_array_equal(stored, given[numbers].astype(np.float16))
    assert list(file.path.parent.iterdir()) == [file.path]


def enrolled(path, count, pairs=False):
    with Gallery(path, Matcher() if pairs else MADE_BY) as gallery:
        gallery.enrol(
            features=(maps if pairs else embeddings)(count),
            keys=[f"key {number}" for number in range(count)],
            cameras=np.arange(count) % 7,
        )


def rounds_of_killing(path, rounds, count, seed, pairs=False):
    rng = np.random.default_rng(seed)
    for _ in range(rounds):
        task = "pairs" if pairs else "enrol"
        said = killed(path, task, count, int(rng.integers(1, count // BATCH)), rng.uniform(0, 0.3))
        done = max([int(line) for line in said if line.isdigit()], default=0)
        there = check(path, done, count, Matcher() if pairs else MADE_BY)
        assert "closed" in said or there % BATCH == 0  # a batch is there wholly or not at all


def test_killed_while_enrolling_at_most_the_batch_under_way_is_lost(tmp_path):
    rounds_of_killing(tmp_path / "people.db", 2, 1000, seed=0)


def test_killed_between_a_segment_and_its_log_no_entry_is_there_twice(tmp_path):
    path, copy = tmp_path / "people.db", tmp_path / "killed.db"
    keys = [f"key {number}" for number in range(120)]
    with Gallery(path, MADE_BY) as gallery:
        gallery.enrol(features=embeddings(120), keys=keys, cameras=np.arange(120) % 7)
        logs = {file.relative_to(path): file.read_bytes() for file in path.rglob("wal_*.arrow")}
        gallery.flush()
        shutil.copytree(path, copy)
    assert logs
    for place, content in logs.items():
        (copy / place).write_bytes(content)
    assert check(copy, 120, 120) == 120
    assert check(copy, 120, 120) == 120


@pytest.mark.parametrize("pairs", [False, True])
def test_killed_while_compacting_nothing_is_lost(tmp_path, pairs):
    path = tmp_path / "people.db"
    enrolled(path, 300, pairs)
    killed(path, "compact", 0, 2, 0.1)
    assert check(path, 300, 300, Matcher() if pairs else MADE_BY) == 300
    assert len([folder for folder in (path / "collections").iterdir() if folder.is_dir()]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("pairs", [False, True])
def test_killed_ten_times_while_enrolling(tmp_path, pairs):
    rounds_of_killing(tmp_path / "people.db", 10, 4000, seed=1, pairs=pairs)


@pytest.mark.slow
@pytest.mark.parametrize("pairs", [False, True])
def test_killed_ten_times_while_compacting(tmp_path, pairs):
    path = tmp_path / "people.db"
    enrolled(path, 300, pairs)
    rng = np.random.default_rng(2)
    for _ in range(10):
        killed(path, "compact", 0, int(rng.integers(1, 5)), rng.uniform(0, 0.4))
        assert check(path, 300, 300, Matcher() if pairs else MADE_BY) == 300
