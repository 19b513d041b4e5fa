import io

import numpy as np
import pytest
from PIL import Image

from keras_reid.pipeline.decode import check_interpolation, decode, resize
from keras_reid.pipeline.reading import read_all
from tests.pipeline.images import picture

GREY = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tiff"])
def test_lossless_formats_come_back_exactly(tmp_path, name):
    Image.fromarray(picture(0)).save(tmp_path / name)
    result = decode(tmp_path / name)
    assert result.dtype == np.uint8
    assert not result.flags.writeable
    np.testing.assert_array_equal(result, picture(0))


def test_jpeg_comes_back_nearly(tmp_path):
    Image.fromarray(picture(0)).save(tmp_path / "a.jpg", quality=95, subsampling=0)
    assert np.abs(decode(tmp_path / "a.jpg").astype(int) - picture(0)).mean() < 1.5


def test_jpeg_equals_tensorflows_exact_decoder(tmp_path):
    import tensorflow as tf

    Image.fromarray(picture(0)).save(tmp_path / "a.jpg", quality=90)
    reference = tf.io.decode_jpeg((tmp_path / "a.jpg").read_bytes(), dct_method="INTEGER_ACCURATE")
    np.testing.assert_array_equal(decode(tmp_path / "a.jpg"), reference.numpy())


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp"])
def test_grey_becomes_three_equal_channels(tmp_path, suffix):
    Image.fromarray(GREY).save(tmp_path / f"a.{suffix}")
    result = decode(tmp_path / f"a.{suffix}")
    assert result.shape == (8, 8, 3)
    assert (result == result[..., :1]).all()
    assert np.abs(result[..., 0].astype(int) - GREY).max() <= (6 if suffix == "jpg" else 0)


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_sixteen_bits_are_scaled_not_clipped(tmp_path, suffix):
    Image.fromarray(GREY.astype(np.uint16) * 257).save(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(decode(tmp_path / f"a.{suffix}")[..., 0], GREY)


def test_cmyk_jpeg_keeps_its_colours(tmp_path):
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    red, green, blue = decode(tmp_path / "a.jpg").reshape(-1, 3).mean(0)
    assert red > 250
    assert max(green, blue) < 5


def test_palette_with_transparency_is_looked_up(tmp_path):
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.save(tmp_path / "a.png", transparency=b"\x00\x80")
    assert (decode(tmp_path / "a.png") == [10, 20, 30]).all()


def test_alpha_is_dropped(tmp_path):
    Image.new("RGBA", (4, 4), (10, 20, 30, 0)).save(tmp_path / "a.png")
    assert (decode(tmp_path / "a.png") == [10, 20, 30]).all()


def test_one_bit_images_are_black_and_white(tmp_path):
    Image.fromarray(GREY > 100).save(tmp_path / "a.png")
    np.testing.assert_array_equal(decode(tmp_path / "a.png")[..., 0], (GREY > 100) * 255)


def damaged_files():
    whole = io.BytesIO()
    Image.fromarray(picture(0, 128, 64)).save(whole, "JPEG")
    png = io.BytesIO()
    Image.fromarray(picture(0, 128, 64)).save(png, "PNG")
    bmp = io.BytesIO()
    Image.fromarray(picture(0)).save(bmp, "BMP")
    return {
        "half.jpg": whole.getvalue()[: len(whole.getvalue()) // 2],
        "header.jpg": whole.getvalue()[:100],
        "half.png": png.getvalue()[: len(png.getvalue()) // 2],
        "header.png": png.getvalue()[:30],
        "half.bmp": bmp.getvalue()[: len(bmp.getvalue()) // 2],
        "text.jpg": b"this is no image",
        "empty.jpg": b"",
    }


@pytest.mark.parametrize("name", damaged_files())
def test_a_damaged_file_is_named(tmp_path, name):
    (tmp_path / name).write_bytes(damaged_files()[name])
    with pytest.raises(ValueError, match=rf"Cannot read image '.*{name}'.*on_bad_image=\"skip\""):
        decode(tmp_path / name)


def test_a_missing_file_is_named():
    with pytest.raises(ValueError, match=r"Cannot read image '/no/such.jpg'"):
        decode("/no/such.jpg")


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(256, 128), (40, 24), (100, 60)])
def test_resizing_is_antialiased(interpolation, size):
    """An independent implementation: TensorFlow's antialiased resize in float."""
    import tensorflow as tf

    # Of low contrast: Pillow rounds and clips between its two passes, a float does not.
    image = np.random.default_rng(0).integers(90, 170, (90, 50, 3), np.uint8)
    float_image = tf.constant(image, tf.float32)
    reference = tf.image.resize(float_image, size, interpolation, antialias=True).numpy()
    result = resize(image, size, interpolation)
    assert result.shape == (*size, 3)
    assert np.abs(result - reference).max() < 2
    aliased = tf.image.resize(float_image, (40, 24), interpolation).numpy()
    assert np.abs(resize(image, (40, 24), interpolation) - aliased).max() > 10


def test_decoding_to_a_size_is_decoding_then_resizing(tmp_path):
    Image.fromarray(picture(0)).save(tmp_path / "a.png")
    for size in ((128, 64), (64, 32)):
        np.testing.assert_array_equal(decode(tmp_path / "a.png", size, "bicubic"), resize(picture(0), size, "bicubic"))


def test_an_unknown_interpolation_is_named():
    with pytest.raises(ValueError, match=r"Unknown interpolation 'bilinaer'. Did you mean"):
        check_interpolation("bilinaer")


def test_reading_many_keeps_the_order_across_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_reid.pipeline.reading._CHUNK", 3)
    for number in range(8):
        Image.fromarray(picture(number)).save(tmp_path / f"{number}.png")
    (tmp_path / "4.png").write_bytes(b"")
    paths = [str(tmp_path / f"{number}.png") for number in range(8)]
    images = list(read_all(paths, on_bad_image="skip"))
    assert [row for row, image in enumerate(images) if image is None] == [4]
    for row in (0, 3, 7):
        np.testing.assert_array_equal(images[row], picture(row))
    with pytest.raises(ValueError, match=r"Cannot read image '.*4.png'"):
        list(read_all(paths))
    with pytest.raises(ValueError, match="Unknown value of `on_bad_image` 'ignore'"):
        list(read_all(paths, on_bad_image="ignore"))
