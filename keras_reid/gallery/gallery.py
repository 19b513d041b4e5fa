"""`Gallery`: what one enrols into, searches, changes and forgets from."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_reid.checks import unknown_name
from keras_reid.datasets import ReIDTable
from keras_reid.gallery import searching, writing
from keras_reid.gallery.columns import all_columns, own_columns
from keras_reid.gallery.connection import Connection
from keras_reid.gallery.enrolment import Enrolment
from keras_reid.gallery.filters import Condition
from keras_reid.gallery.fingerprint import Fingerprint, fingerprint_of
from keras_reid.gallery.matching import Match
from keras_reid.gallery.opening import check_name, feature_file, open_store
from keras_reid.gallery.recall import ShortlistRecall
from keras_reid.gallery.sources import Features, Images
from keras_reid.gallery.upkeep import Upkeep
from keras_reid.pipeline.reading import ON_BAD_IMAGE
from keras_reid.retrieval import Ranking

__all__ = ["Gallery"]


class Gallery(Upkeep):
    """People to be found again: enrolled, searched, changed and forgotten.

    The same code works on a folder beside you, by Milvus Lite in this process, and on a Milvus cluster. A gallery takes
    the embeddings of one model only, and remembers which. For a method that compares pairs (QAConv, GMN) it also keeps
    what the matcher needs, draws a shortlist by the cosine of the embeddings, and scores the shortlist exactly.

    Args:
        uri: ``"people.db"``, a folder that is made if it is not there; or ``"http://host:19530"``.
        model: What extracts: a ``ReIDModel``; or a `Fingerprint`, for embeddings that something else made. ``None``
            opens an existing gallery to count, change, delete and export.
        name: The gallery's name, for several at one URI.
        fields: Your own fields, name -> ``str``, ``int``, ``float`` or ``bool``; when the gallery is made.
        index: ``"exact"``, ``"hnsw"``, ``"hnsw_sq8"`` (8 bits a number) or, on a cluster, ``"diskann"``; when the
            gallery is made. Default: exact beside you, HNSW on a cluster.
        features: Folder for the feature maps of a pairwise method; ``people.features`` beside ``people.db`` by default.
        token: Token or ``user:password`` of a cluster.

    Attributes:
        made_by: `Fingerprint` of the model whose embeddings the gallery holds.

    Raises:
        ImportError: pymilvus or Milvus Lite is not installed.
        ValueError: The gallery is another model's, is open elsewhere, or an argument cannot be.
        ConnectionError: The cluster does not answer.

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> from keras_reid.gallery import Fingerprint, Gallery, field
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "people.db"
        >>> with Gallery(path, Fingerprint("anything", 4, "v1"), fields={"site": str}) as gallery:
        ...     site = {"site": ["north", "north", "north", "south"]}
        ...     print(gallery.enrol(features=np.eye(4), keys=list("abcd"), cameras=[0, 0, 1, 2], fields=site))
        ...     print([match.key for match in gallery.search(features=np.eye(4)[:1], cameras=0, other_cameras=True)[0]])
        ...     print(gallery.delete(where=field("site") == "south"), gallery.count())
        4 entries of 4 images
        ['c', 'd']
        1 3
    """

    def __init__(
        self,
        uri: str | os.PathLike,
        model: Any = None,
        *,
        name: str = "people",
        fields: Mapping[str, Any] | None = None,
        index: str | None = None,
        features: str | os.PathLike | None = None,
        token: str | None = None,
    ):
        check_name(name)
        made_by = None if model is None else fingerprint_of(model)
        if model is None and "://" not in os.fspath(uri) and not Path(uri).exists():
            raise ValueError(f"There is no gallery {os.fspath(uri)}. Give `model=` to make it.")
        connection = Connection(uri, token)
        try:
            self._store = open_store(connection, name, made_by, fields, index, hasattr(model, "embed"))
            self._store.features = feature_file(self._store, features)
            about = self._store.about or {}
            self._own = own_columns(about["fields"])
            self._columns = all_columns(self._own)
            self._store.begin(self._columns.values())
        except BaseException:
            connection.close()
            raise
        self._connection: Connection | None = connection
        self.made_by = Fingerprint.from_dict(about["model"])
        self._model = model

    @property
    def fields(self) -> dict[str, type]:
        """Your own fields and their types."""
        return {name: column.type for name, column in self._own.items()}

    def enrol(
        self,
        images: Any = None,
        *,
        features: Any = None,
        keys: Sequence[str] | None = None,
        cameras: Any = None,
        times: Any = None,
        tracklets: Any = None,
        persons: Any = None,
        paths: Any = None,
        fields: Mapping[str, Any] | None = None,
        pool: bool = True,
        skip_known: bool = False,
        batch_size: int = 256,
        on_bad_image: str = "raise",
        modality: int = 0,
        progress: Callable[[int, int], None] | None = None,
    ) -> Enrolment:
        """Writes entries, batch by batch; a crash loses at most the batch under way.

        An entry's key is yours, or the checksum of its images. An entry of the same key is written over, except for
        what is unknown now and was known of it: enrolling the same again changes nothing, and what `update` has set
        stays where this call says nothing (``update(key, camera=None)`` takes it away). The images of a tracklet (of
        one camera) become one entry: the mean of their unit embeddings at unit norm; for a matcher, the features of the
        image nearest to it.

        Args:
            images: A ``ReIDTable``, whose columns are taken; or files, folders, arrays, Pillow images.
            features: Instead of images, ``[N, ...]`` what `model.extract` returned (embeddings, for most).
            keys: Your own keys, another one for each image; the same for the images of one tracklet.
            cameras: Camera of each image, or one for all; ``None`` or -1 where unknown.
            times: Capture times in seconds; ``None`` or NaN where unknown.
            tracklets: Tracklet numbers; ``None`` or -1 for none.
            persons: Identities; ``None`` or -1 where unknown.
            paths: Image files, for features.
            fields: Name -> values of your own fields.
            pool: Whether a tracklet becomes one entry.
            skip_known: Leave entries alone whose key is there already: what a stopped enrolment has done is not
                extracted again.
            batch_size: Images that are extracted and written in one step.
            on_bad_image: ``"raise"``, or ``"skip"`` to leave out images that cannot be read or are not there.
            modality: 0 visible or 1 thermal, for methods that treat the two apart, as `CMEMD` does; of files, arrays
                and Pillow images. A table says its own.
            progress: Called with (images done, images in all).

        Returns:
            What was done.

        Raises:
            ValueError: A value cannot be kept, images of a tracklet contradict one another, entries share a key, a file
                cannot be read.
            TypeError: A value has another type than its field.
        """
        given = {"key": keys, "camera": cameras, "time": times, "tracklet": tracklets, "person": persons, "path": paths}
        for name in fields or {}:
            if name not in self._own:
                raise unknown_name("field of your own", name, self._own, "Fields are named when the gallery is made.")
        source = self._source(images, features, modality, on_bad_image)
        target = writing.Target(self._open, self._columns, self._embed)
        return target.enrol(source, {**given, **(fields or {})}, pool, skip_known, batch_size, progress)

    def search(
        self,
        images: Any = None,
        *,
        features: Any = None,
        top_k: int = 10,
        where: Condition | None = None,
        cameras: Any = None,
        times: Any = None,
        other_cameras: bool = False,
        shortlist: int = 100,
        modality: int = 0,
        post_process: Iterable[Callable[[Ranking], Ranking]] = (),
    ) -> list[list[Match]]:
        """Finds the entries that are most like each query.

        Args:
            images: As in `enrol`, Q of them.
            features: Instead of images, as in `enrol`.
            top_k: How many entries.
            where: What they must fulfil, of `field`: ``(field("time") > 60) & (field("site") == "north")``.
            cameras: The queries' cameras, for `other_cameras` and temporal lifting; a table brings its own.
            times: The queries' capture times, for temporal lifting.
            other_cameras: Only entries that are known to be of another camera than the query.
            shortlist: How many entries a pairwise method compares exactly, and `post_process` sees.
            modality: The queries', as in `enrol`.
            post_process: ``Rerank()``, ``TemporalLift()`` or any ``Ranking -> Ranking``; it sees all queries and the
                union of their shortlists.

        Returns:
            For every query its matches, best first.

        Raises:
            ValueError: The condition names a field that is not there, or a number is out of range.
            TypeError: The condition compares a field with another type.
        """
        queries = searching.Queries(self._source(images, features, modality), self._embed, cameras, times)
        return self._searcher.search(queries, top_k, where, other_cameras, shortlist, tuple(post_process))

    def shortlist_recall(
        self,
        images: Any = None,
        *,
        features: Any = None,
        shortlist: int = 100,
        top: int = 10,
        sample: int = 32,
        modality: int = 0,
    ) -> ShortlistRecall:
        """Measures what a shortlist loses: its entries against exact scores of all entries.

        Args:
            images: Queries, as in `search`.
            features: Instead of images.
            shortlist: Its length.
            top: How many of the exact best are looked for.
            sample: How many of the queries are taken, drawn from seed 0: each is compared with the whole gallery.
            modality: The queries', as in `enrol`.

        Returns:
            The recall; print it.

        Raises:
            ValueError: The gallery is empty, or a number is out of range.
        """
        queries = searching.Queries(self._source(images, features, modality), self._embed, sample=sample)
        return self._searcher.recall(queries, shortlist, top)

    @property
    def _searcher(self) -> "searching.Searcher":
        score = self._model.score if hasattr(self._model, "embed") else None
        return searching.Searcher(self._open, self._columns, score)

    def _source(self, images: Any, features: Any, modality: int, on_bad_image: str = "raise") -> Images | Features:
        if on_bad_image not in ON_BAD_IMAGE:
            raise unknown_name("value of `on_bad_image`", on_bad_image, ON_BAD_IMAGE)
        if modality not in (0, 1):
            raise ValueError(f"`modality` must be 0 (visible) or 1 (thermal). Received: {modality!r}.")
        if self._model is None:
            raise ValueError(
                f"The gallery was opened without a model. To enrol and to search give the one that made it: "
                f"{self.made_by}."
            )
        if (images is None) == (features is None):
            raise ValueError("Give images or `features=`, one of the two.")
        if modality and (features is not None or isinstance(images, ReIDTable)):
            raise ValueError(
                "`modality` is that of files, arrays and Pillow images: a table says its own, and features were "
                f"extracted before. Received: {modality}. Leave it out."
            )
        if features is not None:
            return Features(features, self.made_by.feature_shape or (self.made_by.dimension,))
        if not hasattr(self._model, "extract"):
            raise ValueError("A Fingerprint extracts nothing. Give `features=`, or open the gallery with the model.")
        return Images(self._model, images, on_bad_image=on_bad_image, modality=modality)

    def _embed(self, features: np.ndarray) -> np.ndarray:
        return self._model.embed(features) if hasattr(self._model, "embed") else features
