"""Everything that knows Airflow and is not a DAG.

Holds: retry rules, the night of the running task, credentials from Airflow connections, paging, the
pages under Airflow's address.
Reads and writes nothing at import: Airflow imports plugins in every task process, so nothing heavy
(`pyarrow`, FastAPI, boto3) may be imported by the modules of this package at their top level.
Not here: the stages (`pipeline/`), the wiring (`dags/`).
"""
