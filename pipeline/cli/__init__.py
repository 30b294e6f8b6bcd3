"""The `winnow` command.

Holds: the click commands. Reads flags, writes to stdout and stderr.
Not here: what the commands do (`runner.py`, `audit/`, the stages).
"""
