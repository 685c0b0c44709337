"""The core: the trace as data, its two sweeps, and the adjoint program. What a student reads first."""
