"""The demonstration: sample dumps that are made up here, and the show that runs them.

Holds: texts, the nights made from them, and the script behind `make demo`.
Not here: anything that the pipeline needs.
"""
