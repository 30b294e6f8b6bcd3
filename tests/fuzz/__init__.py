"""Mutations of valid files of every format, read until the time is over: see `__main__.py`."""
