"""What is loaded beside a student's code.

It imports the standard library, NumPy and itself, and nothing of diffkit outside this folder: what knows
no answer can give none away.
"""
