"""The losses that Liao and Shao (ECCV 2020, Table 1) compare QAConv with: one backbone, pooled vectors, cosine."""

from keras import ops

from keras_reid.backbones import ResNet
from keras_reid.layers import (
    ClassMemory,
    CosineClassifier,
    IdentityCentres,
    IdentityClassifier,
    ScalarBatchNormalization,
)
from keras_reid.losses import arcface_logits, centre_loss, identity_loss, pair_focal_loss, updated_centres
from keras_reid.methods.base import ReIDModel

LOSSES = ("softmax", "arc", "centre", "class_memory")


class PooledVectors(ReIDModel):
    """Average of the last map [B,C], trained by one of `LOSSES` and compared by its cosine."""

    loss_names = ("loss", "accuracy")

    def __init__(self, loss, *, margin=0.3, scale=16.0, centre_weight=0.001, image_size=(128, 64), **kwargs):
        super().__init__(image_size=image_size, interpolation="bicubic", name=loss, **kwargs)
        self.compared_loss, self.margin, self.scale, self.centre_weight = loss, margin, scale, centre_weight
        self.backbone = ResNet(depth="tiny", last_stride=1)
        self.classifier = CosineClassifier() if loss == "arc" else IdentityClassifier()
        self.centres = IdentityCentres()
        self.memory = ClassMemory()
        self.logit_norm = ScalarBatchNormalization()
        self.build((None, *self.image_size, 3))

    def build(self, input_shape):
        self.logit_norm.build()
        # As QAConv's last normalisation starts here: most pairs are negative.
        self.logit_norm.beta.assign([-3.0])

    def build_heads(self, num_classes):
        width = self.backbone.num_channels
        if self.compared_loss == "class_memory":
            self.memory.size((1, 1, width), num_classes)
        else:
            self.classifier.size(width, num_classes)
        if self.compared_loss == "centre":
            self.centres.size(width, num_classes)

    def pooled(self, images, training):
        return ops.mean(ops.cast(self.backbone(images, training=training), "float32"), axis=(1, 2))

    def call(self, images, training=False):
        return ops.normalize(self.pooled(images, training), axis=-1)

    def training_step(self, batch, training=True):
        labels = batch["person_id"]

        def losses():
            pooled = self.pooled(batch["image"], training)
            total, logits = getattr(self, f"_{self.compared_loss}")(labels, pooled, training)
            accuracy = ops.mean(ops.cast(ops.equal(ops.argmax(logits, axis=-1), labels), "float32"))
            return total, {"loss": total, "accuracy": accuracy, "pooled": pooled}

        terms = dict(self.update(None, losses))
        pooled = terms.pop("pooled")
        if training and self.compared_loss == "class_memory":
            self.memory.write(labels, ops.normalize(pooled, axis=-1)[:, None, None, :])
        return terms

    def _softmax(self, labels, pooled, training):
        logits = self.classifier(pooled)
        return ops.mean(identity_loss(labels, logits)), logits

    def _arc(self, labels, pooled, training):
        cosines = self.classifier(pooled)
        return ops.mean(identity_loss(labels, arcface_logits(labels, cosines, self.margin, self.scale))), cosines

    def _centre(self, labels, pooled, training):
        total, logits = self._softmax(labels, pooled, training)
        total = total + self.centre_weight * ops.mean(centre_loss(labels, pooled, self.centres.centres))
        if training:
            self.centres.centres.assign(updated_centres(labels, pooled, self.centres.centres))
        return total, logits

    def _class_memory(self, labels, pooled, training):
        remembered, valid = self.memory.read()
        cosines = ops.matmul(ops.normalize(pooled, axis=-1), ops.transpose(remembered[:, 0, 0]))
        logits = self.logit_norm(cosines, training=training)
        return ops.mean(pair_focal_loss(labels, logits, valid)), logits
