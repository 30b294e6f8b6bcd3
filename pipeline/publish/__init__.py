"""Make published files, check the promises, commit, and promote to the plain tree.

Holds: the publish stage, the commit, its checks, and promotion.
"""
