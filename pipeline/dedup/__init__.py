"""Find near-duplicates, decide which document of each family stays.

Holds: matching, the verdict rule, and the match and decide stages. Never touches text in a run.
"""
