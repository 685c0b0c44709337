"""The error against the step: sweeps over h, and the parts that an error is made of."""
