from types import SimpleNamespace

import keras
import numpy as np

from keras_reid.training import PlanEpoch


def test_the_sampler_plans_with_the_model_at_the_beginning_of_every_epoch():
    planned = []
    sampler = SimpleNamespace(plan=lambda *arguments: planned.append(arguments))
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    callback = PlanEpoch(SimpleNamespace(sampler=sampler, table="table", seed=7))
    model.fit(np.ones((2, 1)), np.ones((2, 1)), epochs=2, verbose=0, callbacks=[callback])
    assert planned == [(model, "table", 7, 0), (model, "table", 7, 1)]
