import numpy as np

from tests.contracts import MethodContract


class TestQAConv(MethodContract):
    name = "qaconv_tiny"

    def test_named_losses_fall(self, people):
        # In the first epoch the memory is empty, so there is nothing to be wrong about.
        history = self.compiled().fit(self.batches(people), epochs=13, verbose=0).history
        assert set(history) == {"loss", "accuracy"}
        assert history["loss"][0] < 0.1
        assert np.mean(history["loss"][-2:]) < 0.9 * np.mean(history["loss"][1:3])


class TestQAConvGS(MethodContract):
    name = "qaconv_gs_tiny"

    def test_inference_model_has_no_heads(self):
        # There is no memory either: all of the model is published.
        model = self.model(num_classes=4)
        assert model.inference_model().num_classes is None
        assert model.inference_model().count_params() == model.count_params()
