"""Rows as mathematics: the texts and tables in which a trace is shown."""
