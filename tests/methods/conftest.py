"""Which tests of the contract are slow."""

import pytest

from tests.contracts import THOROUGH, MethodContract


def pytest_collection_modifyitems(items):
    for item in items:
        contract = isinstance(getattr(item, "cls", None), type) and issubclass(item.cls, MethodContract)
        if contract and not item.cls.thorough and item.name in THOROUGH:
            item.add_marker(pytest.mark.slow)
