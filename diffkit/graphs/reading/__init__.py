"""Traces and expressions, read into the one model that every drawing is made from."""
