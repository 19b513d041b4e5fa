import os
import tomllib
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_reid
from keras_reid import zoo
from keras_reid.recipe import Recipe
from keras_reid.training import OptimizerGroup

IMAGES = np.zeros((1, 128, 64, 3), "float32")


def test_every_card_is_whole_and_its_recipe_can_be_built():
    for name in zoo.list():
        card = zoo.card(name)
        assert card.name == name
        assert hasattr(keras_reid.methods, card.method)
        assert card.name in str(card) and card.title in str(card)
        for row in [*card.paper_results, *card.our_results]:
            assert {"train", "test", "rank1", "mean_ap", "source"} <= set(row)
        assert tuple(card.input["size"]) == tuple(card.constructor["image_size"])
        zoo.recipe(name).make_optimizer()


def test_cards_name_their_results_files():
    root = Path(zoo.__file__).parents[1]
    for name in zoo.list():
        for row in zoo.card(name).our_results:
            assert (root / row["source"].split()[0]).is_file(), f"{name}: {row['source']} is not in the repository"


def test_the_wheel_takes_the_cards_along():
    with (Path(zoo.__file__).parents[1] / "pyproject.toml").open("rb") as stream:
        wheel = tomllib.load(stream)["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"]["zoo"] == "keras_reid/cards"


def test_unknown_name():
    with pytest.raises(ValueError, match=r"Unknown zoo entry 'baseline_r5'\. Did you mean 'baseline_r50'"):
        zoo.load("baseline_r5")


def test_loaded_models_come_compiled_and_extract_at_once():
    model = zoo.load("baseline_tiny")
    assert model.optimizer is not None
    assert model.extract(IMAGES).shape == (1, 256)


def test_weights_by_path(tmp_path):
    model = zoo.load("baseline_tiny", num_classes=3)
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    expected = model.extract(IMAGES)
    for file in ("model.keras", "model.weights.h5"):
        loaded = zoo.load("baseline_tiny", num_classes=3, weights=tmp_path / file)
        np.testing.assert_array_equal(loaded.extract(IMAGES), expected)


def test_a_file_of_another_entry_is_refused(tmp_path):
    zoo.load("baseline_tiny").save(tmp_path / "tiny.keras")
    with pytest.raises(ValueError, match=r"not the zoo entry 'baseline_r50'; it differs in .*'backbone': 'tiny'"):
        zoo.load("baseline_r50", weights=tmp_path / "tiny.keras")


def test_a_published_model_gets_a_new_head(tmp_path):
    zoo.load("baseline_tiny", num_classes=3).inference_model().save(tmp_path / "published.keras")
    model = zoo.load("baseline_tiny", num_classes=5, weights=tmp_path / "published.keras")
    assert model.num_classes == 5
    assert tuple(model.classifier.kernel.shape) == (256, 5)
    assert model.optimizer is not None


def test_weights_that_do_not_fit(tmp_path):
    model = zoo.load("baseline_tiny", num_classes=3)
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    with pytest.raises(ValueError, match=r"do not fit Baseline with num_classes=5"):
        zoo.load("baseline_tiny", num_classes=5, weights=tmp_path / "model.weights.h5")
    with pytest.raises(ValueError, match="has a head for 3 identities; `num_classes` is 5"):
        zoo.load("baseline_tiny", num_classes=5, weights=tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"brings its own constructor arguments\. Leave out \['margin'\]"):
        zoo.load("baseline_tiny", weights=tmp_path / "model.keras", margin=0.1)
    with pytest.raises(ValueError, match="There is no weights file"):
        zoo.load("baseline_tiny", weights=tmp_path / "none.weights.h5")
    (tmp_path / "weights.txt").touch()
    with pytest.raises(ValueError, match="`weights` must be None, 'imagenet', or a .keras"):
        zoo.load("baseline_tiny", weights=tmp_path / "weights.txt")


def test_a_card_that_lacks_an_entry(tmp_path, monkeypatch):
    (tmp_path / "broken.toml").write_text('method = "Baseline"\n')
    monkeypatch.setattr(zoo, "_folder", lambda: tmp_path)
    with pytest.raises(ValueError, match=r"The card broken.toml must have the entries .* Missing: .*'recipe'"):
        zoo.card("broken")


def recipe(**changes):
    options = {
        "name": "test",
        "epochs": 10,
        "steps_per_epoch": 5,
        "sampler": {"name": "pk", "identities": 2, "images": 4},
        "transforms": [{"name": "flip"}],
        "optimizer": {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9},
        "schedule": {"warmup_epochs": 2, "milestones": [6], "factor": 0.5},
        **changes,
    }
    return Recipe(**options)


def test_the_schedule_is_scaled_to_the_data_at_hand():
    schedule = recipe().make_optimizer(steps_per_epoch=3, epochs=20)._learning_rate
    assert schedule.warmup_steps == 2 * 2 * 3
    assert schedule.boundaries == [6 * 2 * 3]


def test_groups_have_their_own_rates():
    groups = {"backbone": {"pattern": "(.*/)?backbone/.*", "multiplier": 0.1}, "new": {}}
    optimizer = recipe(groups=groups).make_optimizer()
    assert isinstance(optimizer, OptimizerGroup)
    assert optimizer.groups["backbone"]._learning_rate.learning_rate == pytest.approx(0.01)
    assert optimizer.patterns["new"] is None


def test_recipes_with_unknown_names(people):
    model = zoo.load("baseline_tiny", image_size=(64, 32))
    with pytest.raises(ValueError, match="Unknown sampler in the recipe 'kp'"):
        recipe(sampler={"name": "kp"}).training_data(model, people.train)
    with pytest.raises(ValueError, match="Unknown transform in the recipe 'flop'. Did you mean 'flip'"):
        recipe(transforms=[{"name": "flop"}]).training_data(model, people.train)
    with pytest.raises(ValueError, match="Unknown optimiser in the recipe 'adamw'. Did you mean 'adam'"):
        recipe(optimizer={"name": "adamw", "learning_rate": 1.0}).make_optimizer()


def test_a_sampler_for_few_persons(people):
    model = zoo.load("baseline_tiny", image_size=(64, 32))
    data = zoo.recipe("baseline_tiny").training_data(model, people.train, sampler={"identities": 4, "passes": 1})
    assert data.steps_per_epoch == 1
    with pytest.raises(ValueError, match="The sampler 'pk' does not take these options"):
        zoo.recipe("baseline_tiny").training_data(model, people.train, sampler={"persons": 4})


def test_fit_takes_a_data_set_or_a_table(people):
    for data in (people, people.train):
        model = zoo.load("baseline_tiny", image_size=(64, 32))
        history = recipe().fit(model, data, epochs=1, verbose=0)
        assert set(history.history) == set(model.loss_names)
        assert model.num_classes == 4


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="one backend is enough")
def test_imagenet_weights_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_REID_CACHE", str(tmp_path))
    monkeypatch.setitem(os.environ, "https_proxy", "http://127.0.0.1:9")
    with pytest.raises((ValueError, OSError), match="resnet50"):
        zoo.load("baseline_r50", weights="imagenet")
