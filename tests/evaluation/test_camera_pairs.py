import json

import numpy as np
import pytest

from keras_reid import retrieval
from keras_reid.datasets import ReIDTable
from keras_reid.evaluation import camera_pairs

RNG = np.random.default_rng(0)


def random_table(rows, prefix):
    return ReIDTable.from_columns(
        [f"/{prefix}{k}.jpg" for k in range(rows)], RNG.integers(6, size=rows), RNG.integers(-1, 3, size=rows)
    )


QUERY, GALLERY = random_table(40, "q"), random_table(60, "g")
SCORES = RNG.random((40, 60))


@pytest.mark.parametrize("protocol", ["market1501", "no_camera"])
def test_every_cell_is_an_evaluation_of_its_own(protocol):
    found = camera_pairs(SCORES, QUERY, GALLERY, protocol=protocol, ap="trapezoid")
    assert found.query_cameras.tolist() == found.gallery_cameras.tolist() == [-1, 0, 1, 2]
    for row, own in enumerate(found.query_cameras):
        for column, there in enumerate(found.gallery_cameras):
            q, g = QUERY.camera_id == own, GALLERY.camera_id == there
            expected = retrieval.evaluate_scores(
                SCORES[q][:, g],
                *(t.person_id[m] for t, m in ((QUERY, q), (GALLERY, g))),
                *(t.camera_id[m] for t, m in ((QUERY, q), (GALLERY, g))),
                protocol=protocol,
                ap="trapezoid",
            )
            np.testing.assert_allclose(found.mean_ap[row, column], expected.mean_ap)
            np.testing.assert_allclose(found.rank1[row, column], expected.rank(1))
            assert found.valid_queries[row, column] == expected.valid_queries


def test_blocks_give_the_same():
    whole = camera_pairs(SCORES, QUERY, GALLERY)
    blocks = camera_pairs((SCORES[start : start + 7] for start in range(0, 40, 7)), QUERY, GALLERY)
    np.testing.assert_array_equal(blocks.mean_ap, whole.mean_ap)
    np.testing.assert_array_equal(blocks.rank1, whole.rank1)


def test_tables_for_people_and_machines():
    found = camera_pairs(SCORES, QUERY, GALLERY)
    lines = found.to_markdown("rank1").splitlines()
    assert lines[0] == "| query in gallery of | unknown | camera 0 | camera 1 | camera 2 |"
    assert lines[3].split("|")[3].strip() == "–"  # camera 0 in camera 0: left out by the protocol
    assert str(found).count("| camera 2 |") == 4
    assert found.to_markdown("valid_queries").splitlines()[3].split("|")[3].strip() == "0"
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["mean_ap"][1][1] is None and plain["valid_queries"][1][1] == 0


@pytest.mark.parametrize("scores", [SCORES[:, :59], SCORES[:39], np.vstack([SCORES, SCORES]), SCORES[0]])
def test_scores_must_fit(scores):
    with pytest.raises(ValueError, match=r"Scores must have shape \[queries, gallery\] = \(40, 60\)"):
        camera_pairs(scores, QUERY, GALLERY)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match=r"Unknown table of camera pairs 'rank5'"):
        camera_pairs(SCORES, QUERY, GALLERY).to_markdown("rank5")
    with pytest.raises(ValueError, match=r"Unknown protocol 'market'"):
        camera_pairs(SCORES, QUERY, GALLERY, protocol="market")
