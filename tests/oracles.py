"""The losses as plain loops in numpy, float64: slow, obvious, and independent of the library."""

import math

import numpy as np


def softmax(logits):
    powers = [math.exp(value - max(logits)) for value in logits]
    return [power / sum(powers) for power in powers]


def identity_loss(labels, logits, smoothing):
    values = []
    for label, row in zip(labels, logits, strict=True):
        value = 0.0
        for identity, probability in enumerate(softmax(list(row))):
            target = (1.0 - smoothing if identity == label else 0.0) + smoothing / len(row)
            value -= target * math.log(probability)
        values.append(value)
    return np.array(values)


def distance(first, second):
    return math.sqrt(max(sum((a - b) ** 2 for a, b in zip(first, second, strict=True)), 1e-12))


def batch_hard_triplet(labels, features, margin):
    values = []
    for anchor, label in enumerate(labels):
        positives = [j for j, other in enumerate(labels) if other == label and j != anchor]
        negatives = [j for j, other in enumerate(labels) if other != label]
        if not positives or not negatives:
            values.append(0.0)
            continue
        farthest = max(distance(features[anchor], features[j]) for j in positives)
        nearest = min(distance(features[anchor], features[j]) for j in negatives)
        if margin is None:
            values.append(math.log(1.0 + math.exp(farthest - nearest)))
        else:
            values.append(max(0.0, margin + farthest - nearest))
    return np.array(values)


def centre_loss(labels, features, centres):
    return np.array(
        [0.5 * distance(feature, centres[label]) ** 2 for label, feature in zip(labels, features, strict=True)]
    )


def updated_centres(labels, features, centres, rate):
    result = np.array(centres, dtype="float64")
    for identity in range(len(centres)):
        members = [i for i, label in enumerate(labels) if label == identity]
        move = sum((centres[identity] - features[i] for i in members), np.zeros(len(centres[identity])))
        result[identity] -= rate * move / (1 + len(members))
    return result


def arcface_logits(labels, cosines, margin, scale):
    result = np.array(cosines, dtype="float64")
    for row, label in enumerate(labels):
        angle = math.acos(result[row, label])
        if angle + margin < math.pi:
            result[row, label] = math.cos(angle + margin)
        else:
            result[row, label] = math.cos(angle) - margin * math.sin(margin)
    return scale * result


def pair_focal_loss(labels, logits, valid, gamma):
    values = []
    for label, row in zip(labels, logits, strict=True):
        value = 0.0
        for identity, logit in enumerate(row):
            right = 1.0 / (1.0 + math.exp(-logit if identity == label else logit))
            value -= valid[identity] * (1.0 - right) ** gamma * math.log(right)
        values.append(value)
    return np.array(values)


def pair_hard_triplet(labels, scores, margin):
    values = []
    for anchor, label in enumerate(labels):
        positives = [scores[anchor][j] for j, other in enumerate(labels) if other == label and j != anchor]
        negatives = [scores[anchor][j] for j, other in enumerate(labels) if other != label]
        complete = positives and negatives
        values.append(max(0.0, margin - min(positives) + max(negatives)) if complete else 0.0)
    return np.array(values)
