"""What assets put out, as types that Dagster checks and shows."""

import dagster as dg
import pandas as pd
import pyarrow as pa

from pyf_pipeline.store.rows import PACKAGE_SCHEMA, PROJECT_SCHEMA

ProjectType = dg.DagsterType(
    name="ProjectRows",
    type_check_fn=lambda _, value: isinstance(value, pa.RecordBatchReader) and value.schema.equals(PROJECT_SCHEMA),
    description="One row for each project: its name, its serial, its `info` as PyPI gave it, and its releases.",
)

PackageType = dg.DagsterType(
    name="PackageRows",
    type_check_fn=lambda _, value: isinstance(value, pa.RecordBatchReader) and value.schema.equals(PACKAGE_SCHEMA),
    description="One row for each package, validated: texts are never null, lists hold no empty entries.",
)

DownloadType = dg.DagsterType(
    name="DownloadRows",
    type_check_fn=lambda _, value: isinstance(value, pd.DataFrame) and "last_month" in value.columns,
    description="One row for each package that pypistats knows: its downloads, and when pypistats said so.",
)

RepositoryType = dg.DagsterType(
    name="RepositoryRows",
    type_check_fn=lambda _, value: isinstance(value, pd.DataFrame) and "stars" in value.columns,
    description="One row for each package with a GitHub repository: its figures, and when GitHub gave them.",
)
