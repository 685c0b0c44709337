"""The rules of SciPy's functions; loaded when a program first meets one."""
