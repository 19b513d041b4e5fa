"""Fixtures that several folders share."""

import pytest

from tests.people import coloured_people


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    """Eight people, each of one colour, eight images under two cameras: anything that learns tells them apart."""
    return coloured_people(tmp_path_factory.mktemp("people"))
