"""A trace as Python source: a program to read, and to run as it stands."""
