import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_reid.pipeline import DiskCache, MemoryCache, disk_cache, reading
from keras_reid.pipeline.cache import ImageCache, file_key
from keras_reid.pipeline.decode import decode
from tests.pipeline.images import picture, write_table

SIZE = (48, 24)


@pytest.fixture
def paths(tmp_path):
    (tmp_path / "data").mkdir()
    return write_table(tmp_path / "data", sizes=((64, 32), (40, 20))).path.tolist()


@pytest.fixture(params=["memory", "disk"])
def make(request, tmp_path):
    if request.param == "memory":
        return MemoryCache
    return lambda content="resized": DiskCache(tmp_path / "cache", content)


@pytest.fixture
def reads(monkeypatch):
    """Paths that were decoded."""
    seen = []

    def spy(path, *arguments):
        seen.append(path)
        return decode(path, *arguments)

    monkeypatch.setattr(reading, "decode", spy)
    return seen


def assert_images(images, paths, size):
    for image, path in zip(images, paths, strict=True):
        np.testing.assert_array_equal(image, decode(path, size))
        assert type(image) is np.ndarray
        assert not image.flags.writeable


@pytest.mark.parametrize(("content", "size"), [("resized", SIZE), ("native", None)])
def test_a_cache_holds_what_decoding_gives(make, paths, content, size):
    cache = make(content)
    assert isinstance(cache, ImageCache)
    assert_images(cache.images(paths, SIZE), paths, size)


def test_a_second_opening_reads_nothing_in_any_order(make, paths, reads):
    cache = make()
    cache.images(paths, SIZE)
    assert sorted(reads) == sorted(paths)
    shuffled = [*paths[::-1], paths[0]]
    assert_images(cache.images(shuffled, SIZE), shuffled, SIZE)
    assert len(reads) == len(paths)


def test_memory_reads_only_the_images_that_are_new(paths, reads):
    cache = MemoryCache()
    cache.images(paths[:5], SIZE)
    cache.images(paths, SIZE)
    assert reads == paths


def test_sizes_interpolations_and_contents_do_not_mix(make, paths):
    cache = make()
    for size in (SIZE, (20, 10)):
        for interpolation in ("bilinear", "bicubic"):
            for image, path in zip(cache.images(paths, size, interpolation), paths, strict=True):
                np.testing.assert_array_equal(image, decode(path, size, interpolation))


def test_native_images_serve_every_size(make, paths, reads):
    cache = make("native")
    cache.images(paths, SIZE)
    cache.images(paths, (20, 10), "bicubic")
    assert len(reads) == len(paths)


def test_a_changed_file_is_read_again(make, paths):
    cache = make()
    cache.images(paths, SIZE)
    Image.fromarray(picture(77)).save(paths[3])
    os.utime(paths[3], ns=(1, 1))
    assert_images(cache.images(paths, SIZE), paths, SIZE)


def test_bad_images_raise_or_are_none(make, paths):
    Path(paths[4]).write_bytes(b"no image")
    cache = make()
    with pytest.raises(ValueError, match=r"Cannot read image '.*004.png'"):
        cache.images(paths, SIZE)
    for _ in range(2):
        images = cache.images(paths, SIZE, on_bad_image="skip")
        assert [row for row, image in enumerate(images) if image is None] == [4]
    with pytest.raises(ValueError, match=r"Cannot read image '.*004.png'"):
        cache.images(paths, SIZE)


def test_content_is_checked(make):
    with pytest.raises(ValueError, match=r"Unknown cache content 'small'. Known: native, resized"):
        make("small")


def test_missing_files_have_a_key():
    assert file_key("/no/such") == ("/no/such", -1, -1)


def cache_files(folder):
    return sorted(file.name.split(".", 1)[1] for file in folder.iterdir())


def test_the_disk_cache_outlives_its_object(tmp_path, paths, reads):
    DiskCache(tmp_path / "cache").images(paths, SIZE)
    assert cache_files(tmp_path / "cache") == ["index.npy", "pixels"]
    assert_images(DiskCache(tmp_path / "cache").images(paths, SIZE), paths, SIZE)
    assert len(reads) == len(paths)


@pytest.mark.parametrize("suffix", [".pixels", ".index.npy"])
@pytest.mark.parametrize("damage", ["missing", "empty", "short", "long"])
def test_a_damaged_disk_cache_is_made_anew(tmp_path, paths, suffix, damage):
    DiskCache(tmp_path / "cache").images(paths, SIZE)
    [file] = (tmp_path / "cache").glob(f"*{suffix}")
    content = file.read_bytes()
    if damage == "missing":
        file.unlink()
    else:
        cut = {"empty": b"", "short": content[:-7], "long": content + b"1"}[damage]
        file.write_bytes(cut)
    if (suffix, damage) != (".index.npy", "long"):  # trailing bytes there say nothing
        assert DiskCache(tmp_path / "cache")._map(file.name.split(".")[0], len(paths)) is None
    assert_images(DiskCache(tmp_path / "cache").images(paths, SIZE), paths, SIZE)


SLOW_FILL = """
import sys, time
from keras_reid.pipeline import DiskCache, reading
decode = reading.decode
def slowly(*arguments):
    time.sleep(0.05)
    return decode(*arguments)
reading.decode, reading._CHUNK = slowly, 1
DiskCache(sys.argv[1]).images(sys.argv[2:], (256, 128))
"""


def test_a_fill_that_was_killed_leaves_no_cache(tmp_path, paths):
    """SIGKILL while half of the pixels are written; the next run has the right bytes."""
    folder = tmp_path / "cache"
    process = subprocess.Popen([sys.executable, "-c", SLOW_FILL, str(folder), *paths])
    deadline = time.monotonic() + 30
    while not any(file.stat().st_size for file in folder.glob("*.partial")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert [name.rsplit(".", 1)[1] for name in cache_files(folder)] == ["partial"]
    cache = DiskCache(folder)
    assert_images(cache.images(paths, (256, 128)), paths, (256, 128))
    # The rest is removed once it is certain that nobody is writing to it.
    [rest] = folder.glob("*.partial")
    long_ago = time.time() - 2 * disk_cache._ABANDONED_AFTER_S
    os.utime(rest, (long_ago, long_ago))
    cache.images(paths[:2], (256, 128))
    assert not rest.exists()


def test_an_error_while_filling_leaves_nothing(tmp_path, paths):
    Path(paths[4]).write_bytes(b"no image")
    with pytest.raises(ValueError, match="Cannot read image"):
        DiskCache(tmp_path / "cache").images(paths, SIZE)
    assert list((tmp_path / "cache").iterdir()) == []
