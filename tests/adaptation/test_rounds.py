import dataclasses
import json

import keras
import numpy as np
import pytest

from keras_reid import zoo
from keras_reid.adaptation import AdaptationPlan, Clustering, CredibleMining, adapt, rounds
from keras_reid.recipe import Recipe
from keras_reid.training import Resume, seed_everything
from tests.contracts import Stop

SIZE = (64, 32)
CLUSTERING = Clustering(k1=7, k2=3, eps=0.6)
PLAN = AdaptationPlan(rounds=2, epochs=2, last_epochs=1, identities=2, images=4, transforms=({"name": "flip"},))


def tiny(name="baseline_tiny"):
    seed_everything(0)
    return zoo.load(name, image_size=SIZE)


def values(model):
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in model.inference_model().weights]


def equal(first, second):
    return all(np.array_equal(one, two) for one, two in zip(first, second, strict=True))


@pytest.mark.parametrize("name", ["baseline_tiny", "dcml_tiny"])
def test_rounds_on_a_site(people, name, capsys):
    model = tiny(name)
    before = values(model)
    records = adapt(model, None, people, plan=PLAN, clustering=CLUSTERING, evaluate_on=people)
    assert [record.round for record in records] == [1, 2]
    assert [record.images for record in records] == [32, 32]
    assert records[0].clusters >= 2
    assert records[0].anchors <= 24
    assert records[0].eps == records[1].eps == 0.6
    assert records[0].purity == 1.0
    assert records[0].mean_ap == records[1].mean_ap_before
    assert not equal(values(model), before)
    out = capsys.readouterr().out
    assert "round 1: " in out
    assert "purity 100.0 %" in out


def test_the_radius_is_measured_once(people):
    clustering = Clustering(k1=7, k2=3, closest_share=0.35)
    records = adapt(tiny(), None, people, plan=PLAN, clustering=clustering, verbose=False)
    assert records[0].eps == records[1].eps
    assert records[0].mean_ap is None


def test_true_identities_are_not_looked_at(people):
    plan = dataclasses.replace(PLAN, rounds=1)
    seen = []

    class Labels(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen.append(self.model.num_classes)

    models, tables = [], []
    for table in (people.train, people.train.with_labels(np.arange(32)), people.train.with_labels(np.full(32, 7))):
        models.append(tiny("dcml_tiny"))
        options = {"clustering": CLUSTERING, "callbacks": [Labels()], "verbose": False}
        tables.append(adapt(models[-1], None, table, plan=plan, **options)[0])
    assert equal(values(models[0]), values(models[1]))
    assert equal(values(models[0]), values(models[2]))
    assert tables[0].purity == 1.0
    assert tables[1].purity < 0.5
    assert tables[2].purity is None
    hidden = {"purity": None, "anchor_purity": None}
    assert dataclasses.replace(tables[0], **hidden) == dataclasses.replace(tables[1], **hidden)
    assert seen == [tables[0].identities] * 3


def test_a_round_without_clusters_leaves_the_model_as_it_was(people, tmp_path):
    model = tiny()
    before = values(model)
    with pytest.raises(ValueError, match="No cluster was found among 32 images"):
        adapt(model, None, people, plan=PLAN, clustering=Clustering(min_samples=33), out=tmp_path / "run")
    assert equal(values(model), before)
    adapt(model, None, people, plan=PLAN, clustering=CLUSTERING, out=tmp_path / "run", verbose=False)


def test_the_source_comes_first(people, monkeypatch):
    model = tiny("dcml_tiny")
    options = {"plan": dataclasses.replace(PLAN, rounds=1), "clustering": CLUSTERING, "verbose": False}
    fitted = []
    fit = Recipe.fit

    def few(self, model, data, **arguments):
        recipe = self
        if self.name == "dcml_tiny":
            fitted.append((self.name, arguments["epochs"]))
            recipe = dataclasses.replace(self, sampler={"name": "pk", "identities": 2, "images": 4})
        return fit(recipe, model, data, **arguments)

    monkeypatch.setattr(Recipe, "fit", few)
    adapt(model, people, people.gallery, recipe="dcml_tiny", source_epochs=1, **options)
    assert fitted == [("dcml_tiny", 1)]
    assert model.num_classes == 4
    with pytest.raises(ValueError, match="Training on the source needs to know how: give `recipe=`"):
        adapt(model, people, people.gallery, **options)


def test_the_source_is_drawn_anew(people, tmp_path, monkeypatch):
    class Negative:
        image_size = SIZE

        def translate(self, images):
            return 1.0 - images

    seen, model = [], tiny("dcml_tiny")
    fit = Recipe.fit

    def watched(self, model, data, **arguments):
        if self.name != "dcml_tiny":
            return fit(self, model, data, **arguments)
        seen.extend(data.path)

    monkeypatch.setattr(Recipe, "fit", watched)
    options = {"plan": dataclasses.replace(PLAN, rounds=1), "clustering": CLUSTERING, "recipe": "dcml_tiny"}
    adapt(model, people, people, **options, style_transfer=Negative(), out=tmp_path, verbose=False)
    assert len(seen) == 32
    assert all(path.startswith(str(tmp_path / "translated")) for path in seen)
    with pytest.raises(ValueError, match="`style_transfer` draws the source anew: give a `source`, and `out`"):
        adapt(model, None, people, **options, style_transfer=Negative(), out=tmp_path)


class StopAt(keras.callbacks.Callback):
    """Stops at the n-th step of all rounds."""

    def __init__(self, number):
        super().__init__()
        self.left = number

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise Stop


@pytest.mark.parametrize("steps", [pytest.param(1, marks=pytest.mark.slow), 3, pytest.param(5, marks=pytest.mark.slow)])
def test_resumed_within_a_round_equals_never_stopped(people, tmp_path, steps):
    options = {"plan": PLAN, "clustering": CLUSTERING, "evaluate_on": people, "verbose": False}
    straight, resumed = tiny("dcml_tiny"), tiny("dcml_tiny")
    expected = adapt(straight, None, people, **options)
    with pytest.raises(Stop):
        adapt(tiny("dcml_tiny"), None, people, **options, out=tmp_path, save_every=1, callbacks=[StopAt(steps)])
    # The callbacks with a state must be as many as before; this one has none.
    assert adapt(resumed, None, people, **options, out=tmp_path, save_every=1, resume=True) == expected
    for one, two in zip(values(straight), values(resumed), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)
    written = json.loads((tmp_path / "adaptation.json").read_text())
    assert [record["clusters"] for record in written["records"]] == [record.clusters for record in expected]
    finished = tiny("dcml_tiny")
    assert adapt(finished, None, people, **options, out=tmp_path, save_every=1, resume=True) == expected
    assert equal(values(finished), values(resumed))


def test_stopped_on_the_source_it_goes_on_there(people, tmp_path, monkeypatch):
    fit, began = Recipe.fit, []

    def few(self, model, data, **arguments):
        if self.name == "dcml_tiny":
            state = next(one for one in arguments["callbacks"] if isinstance(one, Resume))
            began.append(state.position())
            self = dataclasses.replace(self, sampler={"name": "pk", "identities": 2, "images": 4})
        return fit(self, model, data, **arguments)

    monkeypatch.setattr(Recipe, "fit", few)
    options = {"plan": dataclasses.replace(PLAN, rounds=1), "clustering": CLUSTERING, "recipe": "dcml_tiny"}
    options |= {"source_epochs": 2, "out": tmp_path, "save_every": 1, "verbose": False}
    with pytest.raises(Stop):
        adapt(tiny("dcml_tiny"), people, people, **options, callbacks=[StopAt(3)])
    with pytest.raises(ValueError, match="already holds an adaptation"):
        adapt(tiny("dcml_tiny"), people, people, **options, seed=5)
    adapt(tiny("dcml_tiny"), people, people, **options, resume=True)
    assert began[0] == (0, 0) and began[1] > (0, 0)


def test_a_run_killed_while_it_writes_its_record_goes_on(people, tmp_path, monkeypatch):
    options = {"plan": PLAN, "clustering": CLUSTERING, "verbose": False, "out": tmp_path}
    keep = rounds.AdaptationFolder.keep_records

    def killed(self, records, before):
        if records:
            raise Stop
        keep(self, records, before)

    monkeypatch.setattr(rounds.AdaptationFolder, "keep_records", killed)
    with pytest.raises(Stop):
        adapt(tiny(), None, people, **options)
    monkeypatch.undo()
    expected = adapt(tiny(), None, people, **{**options, "out": None})
    assert adapt(tiny(), None, people, **options, resume=True) == expected


def test_folders_that_do_not_fit(people, tmp_path):
    options = {"plan": dataclasses.replace(PLAN, rounds=1), "clustering": CLUSTERING, "verbose": False}
    with pytest.raises(ValueError, match="There is no adaptation in .* to go on with"):
        adapt(tiny(), None, people, **options, out=tmp_path, resume=True)
    with pytest.raises(ValueError, match="`resume` goes on with the adaptation in a folder"):
        adapt(tiny(), None, people, **options, resume=True)
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"file is a file\. Give a folder"):
        adapt(tiny(), None, people, **options, out=tmp_path / "file")
    adapt(tiny(), None, people, **options, out=tmp_path)
    with pytest.raises(ValueError, match="already holds an adaptation"):
        adapt(tiny(), None, people, **options, out=tmp_path)
    with pytest.raises(ValueError, match=r"was started otherwise: seed was 0, now 1\. Resume with the same"):
        adapt(tiny(), None, people, **options, out=tmp_path, resume=True, seed=1)
    with pytest.raises(ValueError, match="was started otherwise: mining was"):
        adapt(tiny(), None, people, **options, mining=CredibleMining("knn"), out=tmp_path, resume=True)


def test_what_is_no_site(people):
    with pytest.raises(TypeError, match="`target` must be a ReIDDataset or a ReIDTable.*Received: str"):
        adapt(tiny(), None, "market1501")
    with pytest.raises(ValueError, match="`target` must hold at least one image"):
        adapt(tiny(), None, people.train.take([]))
    with pytest.raises(ValueError, match=r"clusters embeddings \[N, D\].*such as Baseline or DCML"):
        adapt(zoo.load("qaconv_tiny", image_size=(128, 64)), None, people)
