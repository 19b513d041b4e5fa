"""Recipes: what a card says becomes an optimiser, a pipeline, a training."""

import pytest

from keras_reid import zoo
from keras_reid.recipe import Recipe
from keras_reid.training import OptimizerGroup


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
