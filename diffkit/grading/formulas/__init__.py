"""Answers that are formulas: read without being run, judged equal or not, the slip named."""
