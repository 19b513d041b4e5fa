"""SYSU-MM01: splits, galleries by the official file and by a seed, the writer, what a bad tree says."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from keras_reid import datasets, retrieval
from keras_reid.datasets import ReIDDataset, ReIDTable, sysu_mm01
from keras_reid.datasets.synthetic.layouts import write_layout
from tests.datasets.trees import write_image

# Camera -> persons with three images each. 9 is in no list; 6 is before no indoor camera.
SEEN = {1: (1, 5, 9), 2: (2, 5), 3: (1, 2, 5, 6), 4: (1, 6), 5: (2, 5, 6), 6: (1, 2, 5)}
LISTS = {"train": "1\n", "val": "2", "test": "5,6,\n"}


@pytest.fixture
def root(tmp_path) -> Path:
    for camera, persons in SEEN.items():
        for person in persons:
            for number in (1, 2, 3):
                write_image(tmp_path / f"cam{camera}" / f"{person:04d}" / f"{number:04d}.jpg")
    (tmp_path / "exp").mkdir()
    for name, text in LISTS.items():
        (tmp_path / "exp" / f"{name}_id.txt").write_text(text)
    return tmp_path


def write_permutations(root: Path, rows: int = 10) -> None:
    cells = np.empty((6, 1), object)
    rng = np.random.default_rng(0)
    for camera in range(6):
        cells[camera, 0] = np.empty((9, 1), object)
        for person in range(1, 10):
            images = 3 if person in SEEN[camera + 1] else 0
            cells[camera, 0][person - 1, 0] = np.array(
                [rng.permutation(images) + 1 for _ in range(rows if images else 0)]
            )
    savemat(root / "exp" / "rand_perm_cam.mat", {"rand_perm_cam": cells})


def relative(table: ReIDTable, root: Path) -> list[str]:
    return [Path(path).relative_to(root).as_posix() for path in table.path]


def test_reads_every_column(root):
    dataset = sysu_mm01.load(root)
    assert (dataset.name, dataset.protocol) == ("sysu_mm01", "sysu_mm01")
    assert dataset.train.person_ids.tolist() == [1, 2]
    assert len(dataset.train) == 3 * 8
    assert dataset.query.person_ids.tolist() == [5, 6]
    assert relative(dataset.query, root)[:4] == [f"cam3/0005/000{n}.jpg" for n in (1, 2, 3)] + ["cam3/0006/0001.jpg"]
    assert sorted(set(dataset.query.camera_id.tolist())) == [2, 5]
    assert sorted(set(dataset.gallery.camera_id.tolist())) == [0, 1, 3, 4]
    for table in (dataset.train, dataset.query, dataset.gallery):
        assert np.array_equal(table.modality == 1, np.isin(table.camera_id, (2, 5)))
        assert all(f"cam{camera + 1}/" in path for path, camera in zip(table.path, table.camera_id, strict=True))


def test_indoor_search_changes_the_gallery_only(root):
    everywhere, indoor = sysu_mm01.load(root), sysu_mm01.load(root, search="indoor")
    assert sorted(set(indoor.gallery.camera_id.tolist())) == [0, 1]
    assert indoor.gallery.person_ids.tolist() == [5]
    for split in ("train", "query"):
        assert getattr(indoor, split).path.tolist() == getattr(everywhere, split).path.tolist()
    assert indoor.findable.tolist() == (indoor.query.person_id == 5).tolist()


@pytest.mark.parametrize("search", ["all", "indoor"])
@pytest.mark.parametrize("shots", [1, 2])
def test_official_galleries_are_those_of_a_literal_loop(root, search, shots):
    write_permutations(root)
    cells = loadmat(root / "exp" / "rand_perm_cam.mat")["rand_perm_cam"]
    dataset = sysu_mm01.load(root, search, shots)
    assert dataset.notes == ()
    assert len(dataset.trials) == 10
    for trial, rows in enumerate(dataset.trials):
        expected = []
        for camera in (1, 2, 4, 5) if search == "all" else (1, 2):
            for person in (5, 6):
                cell = cells[camera - 1][0][person - 1][0]
                if cell.size:
                    expected += [f"cam{camera}/{person:04d}/{n:04d}.jpg" for n in cell[trial][:shots]]
        assert relative(dataset.gallery.take(rows), root) == expected
        assert rows.dtype == np.int64
    assert len({rows.tobytes() for rows in dataset.trials}) > 1


def test_galleries_without_the_official_file_follow_the_seed(root):
    one, again, other = sysu_mm01.load(root), sysu_mm01.load(root), sysu_mm01.load(root, seed=1)
    assert "rand_perm_cam.mat is not there: the galleries of the 10 trials are drawn from seed 0" in one.notes[0]
    assert all(np.array_equal(a, b) for a, b in zip(one.trials, again.trials, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(one.trials, other.trials, strict=True))
    several = sysu_mm01.load(root, shots=2, trials=3)
    assert len(several.trials) == 3
    for few, more in zip(one.trials, several.trials, strict=False):
        assert set(few.tolist()) < set(more.tolist())
        cells = list(zip(one.gallery.camera_id[few].tolist(), one.gallery.person_id[few].tolist(), strict=True))
        assert cells == [(0, 5), (1, 5), (3, 6), (4, 5), (4, 6)]


def test_who_has_too_few_images_gives_all(root):
    write_permutations(root)
    dataset = sysu_mm01.load(root, shots=10)
    assert dataset.notes == ("5 of 5 persons before a camera have fewer than 10 images; they give all.",)
    assert sorted(dataset.trials[0].tolist()) == list(range(len(dataset.gallery)))


def test_the_published_counts():
    assert sysu_mm01.PUBLISHED_COUNTS == {"train": (395, 22258 + 11909), "query": (96, 1883 + 1920)}
    assert sysu_mm01.PUBLISHED_TRIALS == {
        ("all", 1): (96, 301), ("all", 10): (96, 3010), ("indoor", 1): (56, 112), ("indoor", 10): (56, 1120),
    }  # fmt: skip


def test_a_copy_that_differs_is_said(root, monkeypatch):
    write_permutations(root)
    monkeypatch.setattr(sysu_mm01, "PUBLISHED_COUNTS", {"train": (2, 24), "query": (2, 9)})
    monkeypatch.setattr(sysu_mm01, "PUBLISHED_TRIALS", {("all", 1): (2, 5)})
    assert sysu_mm01.load(root).notes == ()
    monkeypatch.setattr(sysu_mm01, "PUBLISHED_TRIALS", {("all", 1): (2, 6)})
    assert (
        "the gallery of a trial has 2 persons and 5 images; SYSU-MM01 is published with 2 and 6"
        in (sysu_mm01.load(root).notes[0])
    )


@pytest.mark.parametrize("folder", ["SYSU-MM01", "SYSU-MM01/SYSU-MM01", "sysu"])
def test_finds_the_usual_folders(root, tmp_path_factory, folder):
    above = tmp_path_factory.mktemp("above")
    (above / folder).parent.mkdir(exist_ok=True)
    root.rename(above / folder)
    assert len(sysu_mm01.load(above).query) == len(datasets.load("sysu_mm01", above / folder).query) == 9


def test_bad_arguments_and_trees(root, tmp_path_factory):
    with pytest.raises(ValueError, match=r"Unknown search of SYSU-MM01 'outdoor'\. Did you mean 'indoor'\?"):
        sysu_mm01.load(root, search="outdoor")
    with pytest.raises(ValueError, match=r"`shots` must be an integer of at least 1\. Received: 0\."):
        sysu_mm01.load(root, shots=0)
    with pytest.raises(ValueError, match=r"`seed` must be an integer of at least 0\. Received: -1\."):
        sysu_mm01.load(root, seed=-1)
    with pytest.raises(ValueError, match=r"No SYSU-MM01 in .* Expected the folders cam1, cam2, .*, exp there"):
        sysu_mm01.load(tmp_path_factory.mktemp("empty"))
    write_image(root / "cam4" / "0006" / "front.jpg")
    with pytest.raises(
        ValueError, match=r"1 of 7 file names in .*cam4' do not parse: 0006/front\.jpg\. Expected names"
    ):
        sysu_mm01.load(root)
    (root / "cam4" / "0006" / "front.jpg").unlink()
    (root / "exp" / "val_id.txt").write_text("2 3")
    with pytest.raises(ValueError, match=r"val_id\.txt' must hold identity numbers with commas .* Received: \['2 3'\]"):
        sysu_mm01.load(root)
    (root / "exp" / "val_id.txt").unlink()
    with pytest.raises(ValueError, match=r"needs the identity list .*val_id\.txt', which is not there"):
        sysu_mm01.load(root)


def test_an_official_file_that_does_not_fit(root):
    write_permutations(root, rows=4)
    assert len(sysu_mm01.load(root, trials=4).trials) == 4
    with pytest.raises(ValueError, match=r"has 4 permutations of the images of person 5 in cam1, and 10 trials were"):
        sysu_mm01.load(root)
    (root / "cam2" / "0005" / "0002.jpg").unlink()
    with pytest.raises(ValueError, match=r"names image 2 of person 5 in cam2, which is not there\. Complete the copy"):
        sysu_mm01.load(root, shots=3, trials=4)


def test_no_query_can_be_found(root):
    (root / "exp" / "test_id.txt").write_text("6")
    with pytest.raises(ValueError, match=r"None of the 3 query images of 'sysu_mm01' shows a person of the gallery"):
        sysu_mm01.load(root, search="indoor")


@pytest.fixture
def people(root) -> ReIDDataset:
    return sysu_mm01.load(root)


@pytest.mark.parametrize("permutations", [True, False])
def test_what_is_written_is_read(people, tmp_path_factory, permutations):
    written = write_layout("sysu_mm01", tmp_path_factory.mktemp("written"), people, permutations=permutations)
    dataset = datasets.load("sysu_mm01", written)
    assert len(dataset.notes) == 1 - permutations
    for split in ("train", "query", "gallery"):
        mine, theirs = getattr(people, split), getattr(dataset, split)
        assert len(theirs) == len(mine)
        assert theirs.num_persons == mine.num_persons
        assert theirs.camera_id.tolist() == mine.camera_id.tolist()
    assert dataset.train.person_ids.tolist() == [1, 2]
    assert dataset.gallery.person_ids.tolist() == [3, 4]
    # Whoever scores by identity is always right, by the official rules too.
    scores = dataset.query.person_id[:, None] == dataset.gallery.person_id[None, :]
    metrics = retrieval.mean_metrics(
        retrieval.evaluate_trials(
            scores.astype(float), dataset.trials, dataset.query.person_id, dataset.gallery.person_id,
            dataset.query.camera_id, dataset.gallery.camera_id, protocol=dataset.protocol,
        )
    )  # fmt: skip
    assert metrics.mean_ap == 1.0
    with pytest.raises(ValueError, match=r"is there already"):
        write_layout("sysu_mm01", written, people)


def test_people_who_do_not_fit_are_not_written(people, tmp_path):
    more = people.gallery.with_labels(people.gallery.person_id)
    cameras = np.arange(len(more), dtype=np.int32) % 5
    gallery = ReIDTable.from_columns(more.path, more.person_id, cameras)
    wide = ReIDDataset("wide", people.train, people.query, gallery, protocol="sysu_mm01")
    with pytest.raises(ValueError, match=r"has 4 visible cameras\. Received 5: \[0, 1, 2, 3, 4\]"):
        write_layout("sysu_mm01", tmp_path / "new", wide)
    blind = ReIDDataset("blind", people.train.where(people.train.modality == 0), people.query, people.gallery)
    with pytest.raises(ValueError, match=r"needs visible and thermal images of every training person"):
        write_layout("sysu_mm01", tmp_path / "new", blind)
