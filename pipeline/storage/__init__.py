"""Everything that touches a store: the interface, three stores, paths, units, snapshots.

The only layer that does I/O on object storage.
"""
