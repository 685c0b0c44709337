"""micrograd: a whole engine under any class name, with tanh, exp and relu."""

from diffkit.grading import catalogue

exercises = [catalogue.engine("Scalar", ["tanh", "exp", "relu"], points=5)]
