import json
from dataclasses import asdict

import pytest

from keras_reid.adaptation import AdaptationPlan, Clustering, CredibleMining
from keras_reid.adaptation.plan import planned
from keras_reid.datasets import ReIDTable


def anchors(persons, images):
    labels = [person for person in range(persons) for _ in range(images)]
    return ReIDTable.from_columns([f"/{row}.jpg" for row in range(len(labels))], labels)


def test_the_published_rates():
    rates = [AdaptationPlan().learning_rate(number) for number in range(8)]
    assert rates == [5e-4, 5e-4, 5e-5, 5e-5, 5e-5, 5e-6, 5e-6, 5e-6]


def test_the_rate_sinks_in_the_last_epochs_of_a_round():
    recipe = AdaptationPlan().recipe(2, anchors(28, 16))
    schedule = recipe.make_optimizer(steps_per_epoch=2, epochs=30)._learning_rate
    assert float(schedule(2 * 20 - 1)) == pytest.approx(5e-5)
    assert float(schedule(2 * 20)) == pytest.approx(5e-6)


def test_a_batch_is_fourteen_people_of_sixteen_images():
    recipe = AdaptationPlan().recipe(0, anchors(28, 16))
    assert recipe.sampler == {"name": "pk", "identities": 14, "images": 16, "passes": 1}
    assert recipe.steps_per_epoch == 2


@pytest.mark.parametrize(("persons", "images", "steps"), [(28, 16, 2), (28, 33, 5), (100, 4, 2), (5, 40, 3)])
def test_an_epoch_is_about_as_many_images_as_there_are(persons, images, steps):
    table = anchors(persons, images)
    recipe = AdaptationPlan().recipe(0, table)
    sampler = recipe.sampler
    assert recipe.steps_per_epoch == steps
    passes = sampler["passes"]
    assert sampler["identities"] == min(14, persons)
    assert passes == max(1, round(steps / -(-persons // sampler["identities"])))


def test_the_cards_plans():
    plan, clustering, mining = planned("dcml_r50")
    assert (clustering, mining) == (Clustering(), CredibleMining())
    assert json.dumps(asdict(plan)) == json.dumps(asdict(AdaptationPlan()))
    plan, clustering, mining = planned("dcml_tiny")
    assert (plan.rounds, clustering) == (4, Clustering(k1=10, k2=4, closest_share=3e-3, center_cameras=True))
    assert mining == CredibleMining(start=0.5, step=0.1)
    assert planned("baseline_tiny") == planned(None) == (AdaptationPlan(), Clustering(), CredibleMining())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"rounds": 0}, "`rounds` must be an integer of at least 1"),
        ({"epochs": 10}, "must be fewer than its `epochs`. Received: 10 of 10"),
        ({"images": 1}, "A batch needs two `identities` with two `images` each"),
    ],
)
def test_bad_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        AdaptationPlan(**arguments)
