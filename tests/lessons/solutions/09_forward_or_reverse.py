import numpy as np


def curve_jvp(t, ans, s, count=200):
    k = np.arange(1.0, count + 1.0)
    return t * k * np.cos(s * k)


def energy_vjp(g, ans, x):
    x_bar = np.zeros_like(x)
    x_bar[:-1] += g * 2 * x[:-1] * x[1:]
    x_bar[1:] += g * x[:-1] ** 2
    return x_bar


def step(x):
    return np.tanh(1.01 * x + 0.1 * np.sin(x))


def layers_forward(x, length=9):
    kept = []
    for k in range(length):
        if k % 3 == 0:
            kept.append(x)
        x = step(x)
    return x, (kept, length)


def layers_backward(dout, cache):
    kept, length = cache
    for segment in reversed(range(len(kept))):
        inputs = [kept[segment]]
        for _ in range(min(3, length - 3 * segment) - 1):
            inputs.append(step(inputs[-1]))
        for x in reversed(inputs):
            dout = dout * (1 - step(x) ** 2) * (1.01 + 0.1 * np.cos(x))
    return dout
