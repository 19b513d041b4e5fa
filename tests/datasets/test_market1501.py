from pathlib import Path

import pytest

from keras_reid.datasets import market1501
from keras_reid.datasets.market1501 import PUBLISHED_COUNTS
from tests.datasets.trees import MARKET_FOLDERS, TINY_MARKET, write_image, write_tree


def names(table) -> list[str]:
    return [Path(path).name for path in table.path]


@pytest.fixture
def root(tmp_path) -> Path:
    return write_tree(tmp_path, TINY_MARKET)


def test_reads_every_column(root):
    dataset = market1501.load(root)
    assert (dataset.name, dataset.protocol, dataset.notes) == ("market1501", "market1501", ())
    assert names(dataset.train) == TINY_MARKET["bounding_box_train"]
    assert dataset.train.person_id.tolist() == [2, 2, 7, 7]
    assert dataset.train.camera_id.tolist() == [0, 1, 0, 2]
    assert dataset.query.person_id.tolist() == [1, 3]
    assert dataset.query.camera_id.tolist() == [0, 5]
    assert all(Path(path).is_absolute() and Path(path).is_file() for path in dataset.gallery.path)


def test_junk_leaves_every_split_and_distractors_stay(root):
    write_image(root / "query" / "-1_c1s1_000001_00.jpg")
    assert market1501.load(root).query.person_id.tolist() == [1, 3]
    gallery = market1501.load(root).gallery
    assert names(gallery) == TINY_MARKET["bounding_box_test"][1:4]
    assert gallery.person_id.tolist() == [0, 1, 3]


def test_times_follow_all_splits_without_junk(root):
    dataset = market1501.load(root)
    # Camera 1: session 1 ends at frame 1000 (a training image; the junk's 900000 does not count).
    assert dataset.gallery.time_s.tolist() == [(50 + 1000) / 25, 301 / 25, 200 / 25]
    assert dataset.query.time_s.tolist() == [1.0, 4.0]
    write_image(root / "query" / "0001_c1s3_000000_00.jpg")
    assert market1501.load(root).query.time_s[1] == (50 + 2 * 1000) / 25
    assert market1501.load(root, corrected_times=True).query.time_s[1] == (50 + 1000) / 25


@pytest.mark.parametrize("folder", ["Market-1501-v15.09.15", "market1501", "Market-1501"])
def test_finds_the_usual_folders(tmp_path, folder):
    write_tree(tmp_path / folder, TINY_MARKET)
    assert len(market1501.load(tmp_path).train) == 4
    assert len(market1501.load(str(tmp_path / folder)).train) == 4


def test_relative_roots_and_the_home_folder(root, monkeypatch):
    monkeypatch.chdir(root.parent)
    monkeypatch.setenv("HOME", str(root.parent))
    for given in (root.name, f"~/{root.name}"):
        assert market1501.load(given).query.path[0].startswith(str(root))


def test_a_wrong_root_says_what_was_expected_and_what_is_there(tmp_path):
    (tmp_path / "cam1").mkdir()
    (tmp_path / "readme.txt").touch()
    sentence = (
        r"No Market-1501 in .*Expected the folders bounding_box_train, query, bounding_box_test "
        r"there, or in one of its sub-folders Market-1501-v15.09.15, market1501,.* "
        r"Found there: cam1/, readme\.txt\."
    )
    with pytest.raises(ValueError, match=sentence):
        market1501.load(tmp_path)


def test_other_wrong_roots(root):
    with pytest.raises(ValueError, match=r"is the folder query itself: pass its parent, '.*'\."):
        market1501.load(root / "query")
    with pytest.raises(ValueError, match=r"does not exist; '.*' does and holds: bounding_box_test"):
        market1501.load(root / "no" / "such")
    with pytest.raises(ValueError, match=r"This is a file: unpack it and pass the folder\."):
        market1501.load(root / "query" / TINY_MARKET["query"][0])
    (root / "query").rename(root / "queries")
    with pytest.raises(ValueError, match=r"Missing there: query\. Found: .*queries/\."):
        market1501.load(root)


def test_file_names_that_do_not_parse_are_named(root):
    for number in range(7):
        write_image(root / "bounding_box_test" / f"img{number}.jpg")
    sentence = (
        r"7 of 11 file names in '.*bounding_box_test' do not parse: img0\.jpg, img1\.jpg, "
        r"img2\.jpg, img3\.jpg, img4\.jpg, \.\.\.\. Expected names like 0002_c1s1_000451_03\.jpg"
    )
    with pytest.raises(ValueError, match=sentence):
        market1501.load(root)


@pytest.mark.parametrize("name", ["0001_c0s1_000001_00.jpg", "-2_c1s1_000001_00.jpg", "0001_c1.jpg"])
def test_half_right_names_do_not_parse(root, name):
    write_image(root / "query" / name)
    with pytest.raises(ValueError, match=rf"1 of 3 .* do not parse: {name}"):
        market1501.load(root)


def test_an_empty_split_is_said(root):
    for file in (root / "query").iterdir():
        file.unlink()
    with pytest.raises(ValueError, match=r"No image \(\.jpg, .*query'\. Found there: nothing"):
        market1501.load(root)


def test_a_person_in_train_and_test_is_named(root):
    write_image(root / "bounding_box_train" / "0003_c1s1_000001_00.jpg")
    with pytest.raises(ValueError, match=r"1 identities of 'market1501' .* test split: 3\. Train"):
        market1501.load(root)


def test_one_camera_only_says_which_rule_leaves_nothing(tmp_path):
    names = ["0001_c1s1_000000_00.jpg", "0002_c1s1_000001_00.jpg", "0002_c1s1_000002_00.jpg"]
    one_camera = {folder: [name] for folder, name in zip(MARKET_FOLDERS, names, strict=True)}
    sentence = (
        r"None of the 1 query images of 'market1501' has a match from another camera: all images "
        r"are of camera 0, and protocol 'market1501' ignores matches of the query's own camera"
    )
    with pytest.raises(ValueError, match=sentence):
        market1501.load(write_tree(tmp_path, one_camera))


def test_queries_of_strangers_say_so(root):
    for name in TINY_MARKET["query"]:
        (root / "query" / name).unlink()
    write_image(root / "query" / "0099_c1s1_000001_00.jpg")
    with pytest.raises(ValueError, match=r"shows a person of the gallery\. Query persons: 99; gal"):
        market1501.load(root)


def test_only_a_real_sized_tree_is_compared_with_the_published_counts(tmp_path, monkeypatch):
    published = {"train": (751, 12936), "query": (750, 3368), "gallery": (751, 15913)}
    assert published == PUBLISHED_COUNTS
    published = {"train": (75, 1293), "query": (70, 336), "gallery": (71, 1591)}  # 32,217 files: 6 s
    monkeypatch.setattr(market1501, "PUBLISHED_COUNTS", published)
    first = {"train": 1000, "query": 1, "gallery": 0}
    for folder, (split, (persons, images)) in zip(MARKET_FOLDERS, published.items(), strict=True):
        (tmp_path / folder).mkdir()
        for row in range(images):
            name = f"{first[split] + row % persons:04}_c{1 + row // persons % 6}s1_{row:06}_00.jpg"
            (tmp_path / folder / name).touch()  # the reader opens no image
    dataset = market1501.load(tmp_path)
    assert dataset.notes == ()

    Path(dataset.gallery.path[0]).unlink()
    assert market1501.load(tmp_path).notes == (
        "gallery has 71 persons and 1590 images; Market-1501 is published with 71 and 1591. "
        "Is the copy complete and unmodified?",
    )
    for path in dataset.query.path[: 336 // 2 + 1]:
        Path(path).unlink()
    assert market1501.load(tmp_path).notes == ()


def test_added_distractors_are_nobody_in_the_gallery(root, tmp_path_factory):
    more = tmp_path_factory.mktemp("distractors_500k")
    for name in ("images/00000001.jpg", "images/0000_c3s1_000007_00.jpg", "images/-1_c6s1_000008_00.jpg"):
        write_image(more / name)
    plain, dataset = market1501.load(root), market1501.load(root, distractors=more)
    assert names(dataset.gallery)[3:] == ["-1_c6s1_000008_00.jpg", "00000001.jpg", "0000_c3s1_000007_00.jpg"]
    assert dataset.gallery.person_id.tolist() == [0, 1, 3, 0, 0, 0]
    assert dataset.gallery.camera_id.tolist()[3:] == [5, -1, 2]
    # They have no times, and leave those of the others alone.
    assert dataset.gallery.time_s[:3].tolist() == plain.gallery.time_s.tolist()
    assert (dataset.gallery.time_s[3:] != dataset.gallery.time_s[3:]).all()
    assert dataset.notes == ("3 of the 6 gallery images are added distractors (person 0).",)
    assert (names(dataset.train), names(dataset.query)) == (names(plain.train), names(plain.query))


def test_the_published_gallery_is_compared_without_added_distractors(root, tmp_path_factory, monkeypatch):
    more = tmp_path_factory.mktemp("more")
    write_image(more / "1.jpg")
    monkeypatch.setattr(market1501, "PUBLISHED_COUNTS", {"train": (2, 4), "query": (2, 2), "gallery": (3, 3)})
    assert len(market1501.load(root, distractors=more).notes) == 1
    monkeypatch.setattr(market1501, "PUBLISHED_COUNTS", {"train": (2, 4), "query": (2, 2), "gallery": (3, 4)})
    first, second = market1501.load(root, distractors=more).notes
    assert first.startswith("gallery has 3 persons and 3 images;") and second.startswith("1 of the 4 gallery")


def test_distractors_must_be_nobody(root, tmp_path):
    with pytest.raises(ValueError, match=r"folder of images of nobody .*bounding_box_test', where 2 names say a pers"):
        market1501.load(root, distractors=root / "bounding_box_test")
    with pytest.raises(ValueError, match=r"Expected a folder of images\. Received: '.*nowhere', which is none"):
        market1501.load(root, distractors=tmp_path / "nowhere")
