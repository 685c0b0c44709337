"""The value of an expression: in floats, in arrays, to any number of digits, exactly."""
