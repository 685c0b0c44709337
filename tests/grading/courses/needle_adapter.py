"""What a needle file imports."""

import sys
import types

import numpy

package = "needle.ops"
autograd = types.ModuleType("needle.autograd")
autograd.TensorOp, autograd.Tensor = object, numpy.ndarray
needle, ops = types.ModuleType("needle"), types.ModuleType(package)
needle.__path__, ops.__path__ = [], []
sys.modules.update({"needle": needle, package: ops, "needle.autograd": autograd})
