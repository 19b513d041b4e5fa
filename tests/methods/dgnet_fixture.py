"""The authors' iteration as a model and a batch: their small backbone, their weights, their images."""

from pathlib import Path

import keras
import numpy as np
from keras import ops

from keras_reid.backbones import assign_tensors
from keras_reid.methods.dgnet import DescriptorHead, DGNet
from keras_reid.training import OptimizerGroup, TorchAdam, TorchSGD

FOLDER = Path(__file__).parents[1] / "parity"
IGNORED = (r".*running_(mean|var)", r".*num_batches_tracked")


def tensors(fixture, prefix):
    """The arrays below a prefix, by the rest of their names."""
    return {key.removeprefix(prefix): fixture[key].astype("float32") for key in fixture.files if key.startswith(prefix)}


@keras.saving.register_keras_serializable(package="keras_reid_tests")
class OneBlock(keras.layers.Layer):
    """What stood for ResNet-50: 4x4 convolution, batch norm, pooling, one block."""

    num_channels = 2048

    def __init__(self, name="backbone", **kwargs):
        super().__init__(name=name, **kwargs)
        options = {"use_bias": False, "data_format": "channels_last"}
        self.conv1 = keras.layers.Conv2D(8, 4, strides=4, name="conv1", **options)
        self.bn1 = keras.layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name="bn1")
        self.conv2 = keras.layers.Conv2D(2048, 3, padding="same", name="conv2", **options)
        self.shortcut = keras.layers.Conv2D(2048, 1, name="shortcut", **options)

    def build(self, input_shape):
        self.conv1.build((None, None, None, 3))
        for layer in (self.bn1, self.conv2, self.shortcut):
            layer.build((None, None, None, 8))

    def call(self, images, training=False):
        x = ops.relu(self.bn1(self.conv1(images), training=training))
        x = ops.max_pool(x, 4, strides=4, padding="valid", data_format="channels_last")
        return ops.relu(self.conv2(x) + self.shortcut(x))

    def torch_variables(self):
        return {
            "model.conv1.weight": [self.conv1.kernel],
            "model.bn1.weight": [self.bn1.gamma],
            "model.bn1.bias": [self.bn1.beta],
            "model.bn1.running_mean": [self.bn1.moving_mean],
            "model.bn1.running_var": [self.bn1.moving_variance],
            "model.layer4.0.conv2.weight": [self.conv2.kernel],
            "model.layer4.0.downsample.0.weight": [self.shortcut.kernel],
        }


@keras.saving.register_keras_serializable(package="keras_reid_tests")
class OneBlockTeacher(keras.Model):
    """The teacher on the same backbone."""

    num_classes = 10

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.backbone = OneBlock()
        self.head = DescriptorHead(512, 0.0)
        self.build((None, None, None, 3))

    def build(self, input_shape):
        self.backbone.build(input_shape)
        self.head.build((None, 2048))
        self.head.size(10)

    def logits(self, images, training=False):
        mean, deviation = np.array([0.485, 0.456, 0.406], "float32"), np.array([0.229, 0.224, 0.225], "float32")
        maps = self.backbone((images - mean) / deviation, training=training)
        return self.head(ops.mean(maps, axis=(1, 2)), training=training)[1]


def generator_variables(model):
    """Variables of structure encoder and decoder by the authors' names."""
    encoder = {f"enc_content.{name}": found for name, found in model.structure_encoder.torch_variables().items()}
    return encoder | model.decoder.torch_variables()


def appearance_variables(model):
    """Variables of backbone and heads by the authors' names."""
    encoder = model.appearance_encoder
    heads = encoder.primary.torch_variables("classifier1") | encoder.fine.torch_variables("classifier2")
    return encoder.backbone.torch_variables() | heads


def authors_model(fixture, **options):
    """The model of the recorded iteration, compiled with their optimisers."""
    teacher = OneBlockTeacher()
    variables = teacher.backbone.torch_variables() | teacher.head.torch_variables("classifier")
    assign_tensors(variables, tensors(fixture, "w/teacher/"), IGNORED)
    model = DGNet(
        **{
            "backbone": OneBlock(),
            "teacher": teacher,
            "style_width": 16,
            "dropouts": (0.0, 0.0),
            "image_size": (192, 96),
            "num_classes": 10,
            **options,
        }
    )
    assign_tensors(generator_variables(model), tensors(fixture, "w/gen/"), IGNORED)
    assign_tensors(model.discriminator.torch_variables(), tensors(fixture, "w/dis/"))
    assign_tensors(appearance_variables(model), tensors(fixture, "w/id/"), IGNORED)
    model.iteration.assign(1e6)
    model.erasing.probability = 0.0
    model.compile(optimizers())
    return model


def optimizers():
    """Theirs."""
    sgd = {"momentum": 0.9, "nesterov": True, "l2": 5e-4}
    adam = {"beta_1": 0.0, "l2": 5e-4}
    return OptimizerGroup(
        {
            "discriminator": TorchAdam(1e-4, **adam),
            "generator": TorchAdam(1e-4, **adam),
            "backbone": TorchSGD(0.002, **sgd),
            "heads": TorchSGD(0.02, **sgd),
        },
        patterns={
            "discriminator": r"(.*/)?discriminator/.*",
            "generator": r"(.*/)?(structure_encoder|decoder)/.*",
            "backbone": r"(.*/)?backbone/.*",
            "heads": r"(.*/)?(primary|fine)(_classifier)?/.*",
        },
    )


def authors_batch(fixture):
    """Their two batches as the halves of one, in [0, 1] as far as drawn numbers go."""
    mean, deviation = np.array([0.485, 0.456, 0.406], "float32"), np.array([0.229, 0.224, 0.225], "float32")

    def joined(first, second):
        images = np.concatenate([fixture[f"in/{first}"], fixture[f"in/{second}"]]).astype("float32")
        return ops.convert_to_tensor(images.transpose(0, 2, 3, 1) * deviation + mean)

    labels = np.concatenate([fixture["in/l_a"], fixture["in/l_b"]]).astype("int32")
    return {
        "image": joined("x_a", "x_b"),
        "partner_image": joined("xp_a", "xp_b"),
        "person_id": ops.convert_to_tensor(labels),
    }
