import numpy as np


def softmax_jvp(t, ans, x):
    return ans * (t - np.sum(ans * t))


def valley_jvp(t, ans, x):
    first, second, t1, t2 = x[:-1], x[1:], t[:-1], t[1:]
    result = np.zeros_like(x)
    result[:-1] += (1200 * first**2 - 400 * second + 2) * t1 - 400 * first * t2
    result[1:] += 200 * t2 - 400 * first * t1
    return result
