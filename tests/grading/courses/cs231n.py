"""CS231n: layers with a cache and dictionaries of parameters, losses that return value and gradient."""

import numpy as np

from diffkit.grading import Case, Exercise, draws


def affine(x, w, b):
    return np.reshape(x, (x.shape[0], -1)) @ w + b


def batchnorm(x, gamma, beta, bn_param):
    centred = x - np.mean(x, axis=0)
    return gamma * centred / np.sqrt(np.mean(centred**2, axis=0) + bn_param["eps"]) + beta


def softmax_loss(x, y):
    shifted = x - np.max(x, axis=1, keepdims=True)
    return np.mean(np.log(np.sum(np.exp(shifted), axis=1)) - shifted[np.arange(len(y)), y])


n, labels, bn = draws.normal, draws.labels("4", "3"), draws.constant({"mode": "train", "eps": 1e-5})
exercises = [
    Exercise(affine, [Case("images", n("322"), n("42"), n("2"))], style="pair"),
    Exercise(batchnorm, [Case("a batch", n("43"), n("3"), n("3"), bn)], style="pair"),
    Exercise(softmax_loss, [Case("scores", n("43"), labels)], style="value_and_gradient"),
]
