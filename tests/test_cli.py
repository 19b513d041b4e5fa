"""The command as a stranger types it, in this process."""

import json
import re
import shutil

import pytest

from keras_reid import cli
from keras_reid.datasets import synthetic
from keras_reid.training import Resume

SMALL = {"train_identities": 8, "test_identities": 4}


@pytest.fixture(scope="module")
def people_root(tmp_path_factory):
    return synthetic.render(tmp_path_factory.mktemp("cli") / "people", **SMALL)


def train(people_root, out, *more):
    command = ["train", "baseline_tiny", "--root", str(people_root), "--out", str(out), "--identities", "4"]
    return cli.main([*command, *(() if "--epochs" in more else ("--epochs", "1")), *more])


def test_train_evaluate_resume(people_root, tmp_path, capsys):
    out = tmp_path / "run"
    assert train(people_root, out) == 0
    assert {"config.json", "log.csv", "model.keras", "report.html", "report.json", "report.txt"} <= {
        path.name for path in out.iterdir()
    }
    assert Resume(out / "state").position() == (1, 0)
    assert "identity" in (out / "log.csv").read_text()
    assert "mAP" in capsys.readouterr().out

    assert train(people_root, out) == 2
    assert "already holds a run" in capsys.readouterr().err
    assert train(people_root, out, "--resume", "--seed", "1") == 2
    assert "seed was 0, now 1" in capsys.readouterr().err
    assert train(people_root, out, "--resume") == 0
    assert "is complete; it is evaluated again" in capsys.readouterr().out

    page = tmp_path / "page.html"
    assert cli.main(["evaluate", str(out), "--root", str(people_root), "--json", "--out", str(page)]) == 0
    assert "mean_ap" in json.loads(capsys.readouterr().out)["metrics"]
    assert page.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--epochs", "0"), "`epochs` must be an integer of at least 1"),
        (("--weights", "imagnet"), "There is no weights file imagnet"),
        (("--identities", "99"), "needs 99 identities"),
        (("--resume",), "There is no run in .* to go on with"),
    ],
)
def test_a_command_that_fails_leaves_the_folder_free(people_root, tmp_path, capsys, arguments, sentence):
    assert train(people_root, tmp_path / "run", *arguments) == 2
    assert re.search(sentence, capsys.readouterr().err)
    assert not (tmp_path / "run" / "config.json").exists()


def test_zoo(capsys):
    assert cli.main(["zoo"]) == 0
    assert "baseline_r50" in capsys.readouterr().out
    assert cli.main(["zoo", "baseline_r50"]) == 0
    assert "paper says" in capsys.readouterr().out
    assert cli.main(["zoo", "baseline_r5"]) == 2
    assert "Did you mean 'baseline_r50'" in capsys.readouterr().err


def test_datasets_check(people_root, tmp_path, capsys):
    assert cli.main(["datasets", "check", str(people_root)]) == 0
    assert "nothing found" in capsys.readouterr().out
    assert cli.main(["datasets", "check", "--data", "market1501", "--root", str(people_root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []
    assert cli.main(["datasets", "check", str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err
    assert cli.main(["datasets", "check", "a", "--root", "b"]) == 2
    assert "given twice: 'a' and --root 'b'" in capsys.readouterr().err


def test_datasets_check_looks_at_data_that_the_reader_refuses(people_root, tmp_path, capsys):
    root = tmp_path / "people"
    shutil.copytree(people_root, root)
    person = min((root / "bounding_box_train").glob("*.jpg")).name[:4]
    query = min((root / "query").glob("*.jpg"))
    shutil.copy(query, root / "query" / f"{person}{query.name[4:]}")
    (root / "query" / "0900_c1s1_000001_00.jpg").touch()
    assert cli.main(["datasets", "check", str(root)]) == 1
    said = capsys.readouterr().out
    assert all(f"[{code}]" in said for code in ("person_in_train_and_test", "duplicate_of_two_persons", "empty_file"))
    assert cli.main(["datasets", "check", str(root), "--no-decode", "--json"]) == 1
    codes = {finding["code"] for finding in json.loads(capsys.readouterr().out)["findings"]}
    assert codes == {"person_in_train_and_test", "empty_file", "identity_not_in_gallery"}
    (root / "query" / f"{person}{query.name[4:]}").unlink()
    (root / "query" / "0900_c1s1_000001_00.jpg").unlink()
    assert cli.main(["datasets", "check", str(root)]) == 0


def test_datasets_render(tmp_path, monkeypatch, capsys):
    seen = {}
    monkeypatch.setattr(synthetic, "render", lambda root, **options: seen.update(root=root, **options) or root)
    assert cli.main(["datasets", "render", str(tmp_path), "--site", "C", "--seed", "3", "--no-groups"]) == 0
    assert callable(seen.pop("progress"))
    assert seen == {"root": str(tmp_path), "site": "C", "seed": 3, "camera_seed": 0, "groups": False}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["evaluate", "nothing.keras"], "There is no model nothing.keras"),
        (["train", "baseline_tiny", "--data", "market", "--out", "x"], "Unknown data set 'market'"),
        (
            ["train", "baseline_tiny", "--data", "folder", "--root", "x", "--out", "x"],
            r"needs .* \['pattern'\]",
        ),
        (["train", "baseline_tiny", "--data", "synthetic", "--option", "sit=A", "--out", "x"], "Did you mean 'site'"),
        (["train", "baseline_tiny", "--data", "synthetic", "--option", "site", "--out", "x"], "is key=value"),
    ],
)
def test_bad_arguments(arguments, sentence, capsys):
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("keras-reid: ")
    assert re.search(sentence, error)


def test_help_teaches(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--help"])
    assert stop.value.code == 0
    assert "keras-reid demo" in capsys.readouterr().out
