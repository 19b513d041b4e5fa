import numpy as np
import pytest
from PIL import Image

from keras_reid.visualize import transport_plan

RNG = np.random.default_rng(0)
IMAGES = RNG.random((4, 8, 4, 3)).astype("float32")


class Brightness:
    """Embeds an image by its first pixel; thermal images lie elsewhere."""

    image_size = (8, 4)
    interpolation = "bilinear"

    def extract(self, images, modality=0):
        return images[:, 0, 0] + 5.0 * modality


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_the_exact_plan_is_one_line_per_image():
    figure = transport_plan(Brightness(), IMAGES, IMAGES[[2, 0, 3, 1]], plan="exact")
    (axes,) = figure.axes
    assert len(axes.images) == 8
    ends = sorted(tuple(round(x / 1.22) for x in line.get_xdata()) for line in axes.lines)
    assert ends == [(0, 1), (1, 3), (2, 0), (3, 2)]
    assert texts(figure)[:4] == ["100"] * 4
    assert texts(figure)[4].startswith("transport cost 75.000, all with all 75.")


def test_all_with_all_and_other_numbers_of_images(tmp_path):
    for number in range(3):
        Image.fromarray((255 * IMAGES[number]).astype("uint8")).resize((20, 40)).save(tmp_path / f"{number}.png")
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    figure = transport_plan(Brightness(), paths[:2], paths, plan="uniform", title="two and three", theme="dark")
    assert len(figure.axes[0].lines) == 6
    assert texts(figure) == ["50"] * 2 + ["two and three"]
    figure.savefig(tmp_path / "plan.png")


def test_bad_arguments():
    with pytest.raises(ValueError, match="Both sides need an image. Received: 4 visible and 0 thermal images"):
        transport_plan(Brightness(), IMAGES, [])
    with pytest.raises(ValueError, match=r"must have the shape \(8, 4, 3\), the model's"):
        transport_plan(Brightness(), IMAGES, np.zeros((1, 2, 2, 3)))
    with pytest.raises(ValueError, match="Unknown transport plan 'best'"):
        transport_plan(Brightness(), IMAGES, IMAGES, plan="best")
