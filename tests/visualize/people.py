"""Coloured people as files, their tables, and a report whose rankings are known."""

import numpy as np
from PIL import Image

from keras_reid import retrieval
from keras_reid.datasets import ReIDTable
from keras_reid.evaluation import Report

COLOURS = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40)]


def people_table(folder, persons, cameras, kind="image"):
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, person in enumerate(persons):
        paths.append(folder / f"{kind}_{number}.png")
        Image.new("RGB", (20, 50), COLOURS[person % 4]).save(paths[-1])
    return ReIDTable.from_columns(paths, persons, cameras)


def people_report(folder, name="people", top_k=10, **fields):
    """Persons 0 to 2 are found at ranks 1, 2 and 3; person 3 is not in the gallery."""
    query = people_table(folder, [0, 1, 2, 3], [0, 0, 0, 0], "query")
    gallery = people_table(folder, [0, 1, 2], [1, 1, 2], "gallery")
    scores = np.array([[0.9, 0.2, 0.1], [0.9, 0.8, 0.1], [0.9, 0.8, 0.7], [0.3, 0.2, 0.1]])
    ids = (query.person_id, gallery.person_id)
    cameras = (query.camera_id, gallery.camera_id)
    metrics = retrieval.evaluate_scores(scores, *ids, *cameras, top_k=top_k)
    return Report(name, metrics, query, gallery, **fields)
