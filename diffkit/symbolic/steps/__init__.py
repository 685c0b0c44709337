"""Derivations step by step: the rules that lead to a derivative, and how they are shown."""
