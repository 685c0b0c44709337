"""What a MiniTorch file imports."""

import sys
import types

autodiff = types.ModuleType("minitorch.autodiff")
autodiff.Context = object
operators = types.ModuleType("minitorch.operators")
operators.mul = lambda a, b: a * b
package = "minitorch"
minitorch = types.ModuleType(package)
minitorch.__path__, minitorch.autodiff, minitorch.operators = [], autodiff, operators
sys.modules.update({package: minitorch, "minitorch.autodiff": autodiff, "minitorch.operators": operators})
