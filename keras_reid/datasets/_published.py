"""Comparing what a reader found with what the data set's authors published."""

from collections.abc import Mapping

from keras_reid.datasets.table import ReIDTable

__all__ = ["compare_with_published"]


def compare_with_published(
    title: str, published: Mapping[str, tuple[int, int]], tables: Mapping[str, ReIDTable]
) -> tuple[str, ...]:
    """Returns a sentence per split that differs from the published counts, for the notes of a data set.

    Only a tree with at least half of the published images in every split is taken for the real data
    set; smaller ones (synthetic people, excerpts) are not compared.

    Args:
        title: The data set's name as its authors write it.
        published: Split -> persons and images.
        tables: Split -> what was found.

    Returns:
        The sentences; empty if nothing differs.
    """
    if any(2 * len(tables[split]) < images for split, (_, images) in published.items()):
        return ()
    return tuple(
        f"{split} has {tables[split].num_persons} persons and {len(tables[split])} images; "
        f"{title} is published with {persons} and {images}. Is the copy complete and unmodified?"
        for split, (persons, images) in published.items()
        if (tables[split].num_persons, len(tables[split])) != (persons, images)
    )
