"""How asset outputs are stored and loaded: one Parquet file for each partition."""

from typing import TypeAlias

import dagster as dg
import pandas as pd
import pyarrow as pa
from pydantic import Field

from pyf_pipeline.defs.retrying import retried
from pyf_pipeline.defs.sharing import check_shared
from pyf_pipeline.defs.turns import TurnResource
from pyf_pipeline.store.outputs import Outputs, StoredRows

# An input that carries this may be loaded before it was ever written; its value is None then.
EMPTY_WHERE_MISSING = "pyf_pipeline/empty_where_missing"

Rows: TypeAlias = pa.RecordBatchReader | pa.Table | pd.DataFrame


class ParquetIOManager(dg.ConfigurableIOManager):
    """Stores Arrow tables, readers and pandas frames as Parquet.

    They are loaded as stored rows, to be read as often as needed, or, where the input asks for a frame, as one.
    """

    storage_url: str
    kept_here: list[str] = Field(default=[])
    # Nobody reads or replaces a partition while a run of the same profile is at work on it.
    turn: dg.ResourceDependency[TurnResource]

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Make sure that the run works on what all others work on."""
        check_shared(context.instance, self.kept_here)

    def handle_output(self, context: dg.OutputContext, obj: Rows) -> None:
        """Store a partition's complete content in place of the one before it."""
        rows = pa.Table.from_pandas(obj, preserve_index=False) if isinstance(obj, pd.DataFrame) else obj
        with retried(context):
            written = Outputs(self.storage_url).write(_asset(context), context.partition_key, rows)
        context.add_output_metadata(
            {
                "dagster/row_count": written.rows,
                "stored_at": dg.MetadataValue.path(written.path),
                "stored_bytes": written.bytes,
            }
        )

    def load_input(self, context: dg.InputContext) -> StoredRows | pd.DataFrame | None:
        """Load a partition.

        Raises:
            OutputMissingError: It was never written, and the input does not allow for that.
        """
        with retried(context):
            return _load(context, Outputs(self.storage_url))


def _load(context: dg.InputContext, outputs: Outputs) -> StoredRows | pd.DataFrame | None:
    asset, partition = _asset(context), context.partition_key
    optional = bool((context.definition_metadata or {}).get(EMPTY_WHERE_MISSING))
    if optional and not outputs.exists(asset, partition):
        return None
    rows = outputs.rows(asset, partition)
    if context.dagster_type.typing_type in {pd.DataFrame, pd.DataFrame | None}:
        frame: pd.DataFrame = rows.table().to_pandas()
        return frame
    return rows


def _asset(context: dg.OutputContext | dg.InputContext) -> str:
    return context.asset_key.to_user_string().replace("/", "__")
