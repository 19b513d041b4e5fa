"""Fixtures that several folders share."""

import functools

import pytest

from tests.people import coloured_people


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    """Eight people, each of one colour, eight images under two cameras: anything that learns tells them apart."""
    return coloured_people(tmp_path_factory.mktemp("people"))


@pytest.fixture
def small_synthetic(tmp_path, monkeypatch):
    """Synthetic people are few, and they and whatever is written go to a temporary folder."""
    from keras_reid.datasets import synthetic

    load = synthetic.load
    few = {"train_identities": 16, "test_identities": 8}

    @functools.wraps(load)
    def load_few(root=None, **options):
        return load(root, **few, **options)

    monkeypatch.setattr(synthetic, "load", load_few)
    monkeypatch.setenv("KERAS_REID_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
