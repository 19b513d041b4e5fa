import hashlib

import pytest

from keras_reid.backbones import pretrained
from keras_reid.backbones.pretrained import WEIGHTS, WeightsFile

CONTENT = b"published weights"
DIGITS = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def publish(tmp_path, monkeypatch):
    """Publishes CONTENT as the weights of resnet50 under a file URL, and empties the cache."""
    source = tmp_path / "publisher" / "model.safetensors"
    source.parent.mkdir()
    source.write_bytes(CONTENT)
    monkeypatch.setenv("KERAS_REID_CACHE", str(tmp_path / "cache" / "below"))

    def publish(sha256):
        monkeypatch.setitem(WEIGHTS, ("resnet50", None), WeightsFile(source.as_uri(), sha256))
        return source

    return publish


@pytest.mark.parametrize("sha256", [DIGITS, DIGITS[:8]])
def test_downloads_once_and_verifies(publish, sha256, tmp_path):
    source = publish(sha256)
    path = pretrained("resnet50")
    assert path == tmp_path / "cache" / "below" / "resnet50.safetensors"
    assert path.read_bytes() == CONTENT
    source.unlink()
    assert pretrained("resnet50") == path


def test_a_wrong_checksum_is_an_error(publish):
    publish("0" * 64)
    with pytest.raises(ValueError, match=f"is not the published file: expected SHA-256 {'0' * 64}, received {DIGITS}"):
        pretrained("resnet50")


def test_a_tampered_file_is_an_error(publish):
    publish(DIGITS)
    pretrained("resnet50").write_bytes(b"other")
    with pytest.raises(ValueError, match=r"is not the published file.*Delete it"):
        pretrained("resnet50")


def test_an_unknown_checksum_is_recorded_and_holds_later(publish, capsys):
    source = publish(None)
    path = pretrained("resnet50")
    assert f"recorded {DIGITS}" in capsys.readouterr().out
    assert path.with_name("resnet50.safetensors.sha256").read_text().strip() == DIGITS
    pretrained("resnet50")
    path.write_bytes(b"other")
    with pytest.raises(ValueError, match=f"expected SHA-256 {DIGITS}"):
        pretrained("resnet50")
    path.unlink()
    source.write_bytes(b"another release")
    with pytest.raises(ValueError, match=f"expected SHA-256 {DIGITS}"):
        pretrained("resnet50")


def test_offline_says_where_to_put_the_file(publish, tmp_path):
    publish(DIGITS).unlink()
    with pytest.raises(ConnectionError) as error:
        pretrained("resnet50")
    expected = tmp_path / "cache" / "below" / "resnet50.safetensors"
    assert f"put it at {expected} (the folder is $KERAS_REID_CACHE" in str(error.value)
    assert not list(expected.parent.iterdir())
    expected.write_bytes(CONTENT)
    assert pretrained("resnet50") == expected


def test_a_broken_download_leaves_nothing(publish, tmp_path, monkeypatch):
    publish(DIGITS)
    monkeypatch.setattr("shutil.copyfileobj", lambda source, target, length: target.write(source.read(5)))
    with pytest.raises(ConnectionError, match="only 5 of 17 bytes arrived"):
        pretrained("resnet50")
    assert not list((tmp_path / "cache" / "below").iterdir())


def test_networks_without_weights():
    with pytest.raises(
        ValueError, match=r"There are no ImageNet weights for depth='tiny' with ibn=None. Known: resnet18"
    ):
        pretrained("tiny")
    with pytest.raises(ValueError, match="depth='resnet152' with ibn='b'"):
        pretrained("resnet152", "b")
