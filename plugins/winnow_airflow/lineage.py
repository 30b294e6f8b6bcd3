"""What a night was made from and what it became, for OpenLineage.

Holds: `tell`, `place`. Sends one event a published night, about its `commit`, to the transport that
Airflow's provider is configured for (`AIRFLOW__OPENLINEAGE__TRANSPORT`); without one nothing
happens. Not here: which datasets those are (`pipeline/audit/lineage.py`); that tasks and runs
began and ended, which the provider says by itself.

The client is imported only when it is wanted: it costs a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pipeline.audit.lineage import Side
    from pipeline.runner import Night


def tell(night: Night, run: tuple[str, str], sequence: int) -> None:
    """Say which datasets the night of the running task read and made, with their counts.

    What goes wrong here is logged and goes no further: the night is published by now.
    """
    from pipeline import telemetry  # noqa: PLC0415 - not while parsing

    try:
        from airflow.providers.openlineage import conf  # noqa: PLC0415 - not while parsing

        if not conf.is_disabled():
            _emit(night, run, sequence)
    except Exception as error:  # noqa: BLE001 - whatever it is
        telemetry.log.warning("lineage.failed", dump_date=run[0], run_id=run[1], error=str(error))


def _emit(night: Night, run: tuple[str, str], sequence: int) -> None:
    from airflow.providers.openlineage.api import emit_dataset_lineage  # noqa: PLC0415 - slow
    from openlineage.client.event_v2 import InputDataset, OutputDataset  # noqa: PLC0415
    from openlineage.client.facet_v2 import (  # noqa: PLC0415
        dataset_version_dataset,
        input_statistics_input_dataset,
        output_statistics_output_dataset,
    )

    from pipeline.audit.lineage import of_run  # noqa: PLC0415 - loads pyarrow

    read, made = of_run(night.corpus, night.landing.url, run[0], sequence=sequence)
    came_in = input_statistics_input_dataset.InputStatisticsInputDatasetFacet
    went_out = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet
    version = dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=str(sequence))
    emit_dataset_lineage(
        inputs=[
            InputDataset(
                **place(side.url), inputFacets={"inputStatistics": came_in(**_counts(side))}
            )
            for side in read
        ],
        outputs=[
            OutputDataset(
                **place(side.url),
                facets={"version": version},
                outputFacets={"outputStatistics": went_out(**_counts(side))},
            )
            for side in made
        ],
    )


def place(url: str) -> dict[str, str]:
    """Name a dataset as OpenLineage does: by its store and the path in it."""
    parts = urlsplit(url)
    if parts.scheme == "s3":
        return {"namespace": f"s3://{parts.netloc}", "name": parts.path.strip("/")}
    return {"namespace": "file", "name": parts.path or url}


def _counts(side: Side) -> dict[str, Any]:
    return {"rowCount": side.rows, "size": side.bytes, "fileCount": side.files}
