"""The file of features: what was appended is read, what was cut short or erased is not."""

from pathlib import Path

import numpy as np
import pytest

from keras_reid.gallery.features import FeatureFile

SHAPE = (3, 2, 4)


def some(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, *SHAPE)).astype(np.float16)


@pytest.fixture
def file(tmp_path):
    file = FeatureFile(tmp_path / "maps.bin", SHAPE)
    yield file
    file.close()


def test_what_was_appended_is_read_also_after_opening_again(file):
    values = some(5)
    rows = np.concatenate([file.append(["a", "b"], values[:2]), file.append(["c", "d", "e"], values[2:])])
    assert rows.tolist() == [0, 1, 2, 3, 4]
    there, found = file.read(rows[::-1], list("edcba"))
    assert there.all()
    np.testing.assert_array_equal(found, values[::-1])
    again = FeatureFile(file.path, SHAPE)
    np.testing.assert_array_equal(again.read([3], ["d"])[1], values[3:4])
    again.close()


def test_a_row_of_another_entry_or_beyond_the_file_is_not_there(file):
    file.append(["a"], some(1))
    there, found = file.read([0, 0, 7, -1], ["b", "a", "a", "a"])
    assert there.tolist() == [False, True, False, False]
    assert len(found) == 1


def test_erased_features_leave_the_disk(file):
    values = some(2)
    rows = file.append(["a", "b"], values)
    assert values[0].tobytes() in file.path.read_bytes()
    file.erase(rows, ["a", "z"])  # the second row is not z's
    assert values[0].tobytes() not in file.path.read_bytes()
    assert file.read(rows, ["a", "b"])[0].tolist() == [False, True]


def test_an_erasing_that_was_cut_short_is_finished_by_the_next(file):
    values = some(1)
    rows = file.append(["a"], values)
    with file.path.open("r+b") as stream:
        stream.seek(file.size - values.nbytes - 24)  # mark, checksum and owner stand before the features
        stream.write(bytes(24))
    assert values.tobytes() in file.path.read_bytes()
    file.erase(rows, ["a"])
    assert values.tobytes() not in file.path.read_bytes()


@pytest.mark.parametrize("cut", [1, 20, 70])
def test_a_row_that_was_cut_short_is_gone_and_its_place_is_used_again(file, cut):
    file.append(["a", "b"], some(2))
    with file.path.open("r+b") as stream:
        stream.truncate(file.size - cut)
    again = FeatureFile(file.path, SHAPE)
    assert len(again) == 1
    assert again.append(["c"], some(1, 1)).tolist() == [1]
    assert again.read([0, 1], ["a", "c"])[0].all()
    again.close()


def test_a_reader_sees_what_is_appended_meanwhile_and_cuts_nothing_off(file):
    values = some(3)
    reader = FeatureFile(file.path, SHAPE)
    file.append(["a"], values[:1])
    assert reader.read([0], ["a"])[0].all()
    with file.path.open("ab") as stream:  # the writer is in the middle of a row
        stream.write(b"begun")
    begun = file.path.stat().st_size
    another = FeatureFile(file.path, SHAPE)
    another.close()
    assert file.path.stat().st_size == begun
    rows = file.append(["b", "c"], values[1:])
    np.testing.assert_array_equal(reader.read(rows, ["b", "c"])[1], values[1:])
    assert len(reader) == 3
    reader.close()


def test_a_reader_needs_no_permission_to_write(file, monkeypatch):
    values = some(1)
    rows = file.append(["a"], values)
    opened, reads = Path.open, {"rb"}

    def read_only(path, mode="r", *options, **named):
        if mode not in reads:
            raise PermissionError(path)
        return opened(path, mode, *options, **named)

    monkeypatch.setattr(Path, "open", read_only)  # root may write whatever a file's mode says
    reader = FeatureFile(file.path, SHAPE)
    np.testing.assert_array_equal(reader.read(rows, ["a"])[1], values)
    with pytest.raises(PermissionError):
        reader.append(["b"], values)
    reader.close()


def test_a_damaged_row_is_not_there(file):
    file.append(["a"], some(1))
    with file.path.open("r+b") as stream:
        stream.seek(file.size - 3)
        stream.write(b"\xff")
    assert not file.read([0], ["a"])[0].any()


def test_a_file_whose_making_was_cut_short_is_made_anew(tmp_path):
    (tmp_path / "maps.bin").write_bytes(b"keras_re")
    file = FeatureFile(tmp_path / "maps.bin", SHAPE)
    assert len(file) == 0
    file.close()


def test_what_cannot_be_kept_is_said(file):
    with pytest.raises(ValueError, match="of another shape than"):
        FeatureFile(file.path, (2, 2))
    with pytest.raises(ValueError, match=r"must have the shape \(1, 3, 2, 4\)"):
        file.append(["a"], np.zeros((1, 3)))
    with pytest.raises(ValueError, match="must be finite, and below 65504"):
        file.append(["a"], np.full((1, *SHAPE), 1e5))
    assert len(file) == 0
