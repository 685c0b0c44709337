"""From a submission's answers to a verdict: the truth, how far one may be off it, and the checks."""
