"""Winnow: nightly text dumps in, one copy of every document out.

The stages and everything they share. Never imports Airflow (checked by an import contract).
"""

__version__ = "0.1.0"
