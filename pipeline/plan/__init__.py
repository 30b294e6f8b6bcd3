"""Discover what landed and freeze a run.

Holds: discovery, the ledger of dump files, shard packing, and the plan stage.
Not here: reading dump files (`ingest`).
"""
