"""diffkit: differentiation taught by doing it three ways on the same program."""
