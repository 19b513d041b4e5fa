"""How a gallery's collection is laid out in Milvus: its columns and its index."""

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from keras_reid.gallery.columns import Column

__all__ = ["ABOUT", "INDEXES", "new_collection"]

ABOUT = "keras_reid"
# Name -> Milvus' index, how it is built, how it is searched for k. Our choice of numbers.
INDEXES: dict[str, tuple[str, dict[str, Any], Callable[[int], dict[str, Any]]]] = {
    "exact": ("FLAT", {}, lambda k: {}),
    "hnsw": ("HNSW", {"M": 32, "efConstruction": 200}, lambda k: {"ef": max(2 * k, 128)}),
    "hnsw_sq8": ("HNSW_SQ", {"M": 32, "efConstruction": 200, "sq_type": "SQ8"}, lambda k: {"ef": max(2 * k, 128)}),
    "diskann": ("DISKANN", {}, lambda k: {"search_list": max(2 * k, 100)}),
}
_ENGINE_TYPES = {str: "VARCHAR", int: "INT64", float: "DOUBLE", bool: "BOOL"}
_BYTES_OF_TEXT = 65535


def new_collection(client: Any, name: str, about: Mapping[str, Any], columns: Iterable[Column]) -> str:
    """Makes an empty collection that has no gallery's name yet.

    Args:
        client: Of Milvus.
        name: The gallery's, with which the collection's own begins.
        about: What is to be remembered; with ``dimension`` and ``index``.
        columns: The columns beside the embedding.

    Returns:
        The collection's own name.
    """
    from pymilvus import DataType

    written = json.dumps(about)
    schema = client.create_schema(auto_id=False, enable_dynamic_field=False, description=written)
    for column in columns:
        options: dict[str, Any] = {"nullable": True} if column.optional else {}
        if column.type is str:
            options["max_length"] = _BYTES_OF_TEXT if column.name != "key" else 255
        schema.add_field(
            column.stored, DataType[_ENGINE_TYPES[column.type]], is_primary=column.name == "key", **options
        )
    schema.add_field("embedding", DataType.FLOAT_VECTOR, dim=about["dimension"])
    schema.add_field("feature_row", DataType.INT64)
    kind, build, _ = INDEXES[about["index"]]
    index = client.prepare_index_params()
    # Of unit vectors the inner product is the cosine.
    index.add_index("embedding", index_type=kind, metric_type="IP", params=build)
    made = f"{name}__{secrets.token_hex(4)}"
    client.create_collection(
        made, schema=schema, index_params=index, consistency_level="Strong", properties={ABOUT: written}
    )
    return made
