"""Reports made from scores alone, without a model or an image."""

import numpy as np

from keras_reid import retrieval
from keras_reid.datasets import ReIDTable
from keras_reid.evaluation import Report


def random_report(quality, seed=0, identities=40, queries_each=3, **fields):
    """Scores that rise with `quality` where the person is right; noise of the same seed otherwise."""
    rng = np.random.default_rng(seed)
    query_ids = np.repeat(np.arange(identities), queries_each)
    gallery_ids = np.tile(np.arange(identities), 4)
    # Persons differ in how hard they are: their queries hang together.
    ease = rng.normal(size=identities)[query_ids][:, None]
    scores = rng.normal(size=(len(query_ids), len(gallery_ids)))
    scores += (quality + ease) * (query_ids[:, None] == gallery_ids)
    query = ReIDTable.from_columns([f"/q{k}.jpg" for k in range(len(query_ids))], query_ids, query_ids * 0)
    gallery = ReIDTable.from_columns([f"/g{k}.jpg" for k in range(len(gallery_ids))], gallery_ids, gallery_ids * 0 + 1)
    metrics = retrieval.evaluate_scores(
        scores, query.person_id, gallery.person_id, query.camera_id, gallery.camera_id, max_rank=10
    )
    return Report("drawn", metrics, query, gallery, **fields)
