"""What a stranger sends is refused in a sentence, before it costs memory."""

import io
import os
import warnings

import numpy as np
import pytest
from PIL import Image

from keras_reid.pipeline.decode import decode
from keras_reid.serving.pictures import read_crop, thumbnail_uri
from tests.serving.conftest import announced_png

SIZE = (64, 32)


def saved(kind, size=(30, 60), **options):
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), "uint8")
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP"])
def test_a_crop_is_read_as_the_pipeline_reads_its_file(kind, tmp_path):
    content = saved(kind)
    (tmp_path / "crop").write_bytes(content)
    np.testing.assert_array_equal(read_crop(content, SIZE), decode(tmp_path / "crop", SIZE))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "not an image that can be read"),
        (b"#!/bin/sh\nreboot\n", "not an image that can be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "not an image"),
        (saved("GIF"), "not an image that can be read. Expected JPEG, PNG, BMP or WEBP"),
        (saved("TIFF"), "not an image"),
        (saved("JPEG")[:-900], "damaged or cut short"),
        (announced_png(30, 60), "damaged or cut short"),
        (announced_png(5000, 5000), "may have 16 million pixels. Received: 5000 x 5000"),
        (announced_png(60_000, 60_000), "may have 16 million pixels. Received: far more"),
    ],
    ids=range(10),
)
def test_what_is_no_crop_is_a_sentence(content, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_crop(content, SIZE)


@pytest.mark.parametrize("action", ["error", "ignore"])
def test_a_large_image_is_refused_whether_or_not_its_warning_is_an_error(action):
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        with pytest.raises(ValueError, match="million pixels"):
            read_crop(announced_png(10_000, 10_000), SIZE)


def test_thumbnails_are_of_files_only(tmp_path):
    (tmp_path / "crop.png").write_bytes(saved("PNG"))
    (tmp_path / "text.png").write_text("no image")
    os.mkfifo(tmp_path / "pipe")
    assert thumbnail_uri(str(tmp_path / "crop.png")).startswith("data:image/jpeg;base64,")
    for gone in (None, "moved/away.jpg", str(tmp_path), str(tmp_path / "pipe"), str(tmp_path / "text.png")):
        assert thumbnail_uri(gone) is None
