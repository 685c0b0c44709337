"""The live page with an editor, served to one user on the loopback address by this machine's Python."""
