"""What runs have stored, for commands that look at it themselves."""

from typing import TYPE_CHECKING

from dotenv import load_dotenv

from pyf_pipeline.settings import Settings

if TYPE_CHECKING:
    from pyf_pipeline.store.outputs import Outputs


def open_outputs(settings: Settings) -> "Outputs":
    """The stored outputs of asset partitions.

    Raises:
        StorageError: They cannot be opened.
    """
    from pyf_pipeline.store.outputs import Outputs  # noqa: PLC0415 - Arrow takes its time to import

    # Clients of object storage look for their keys in the environment only.
    load_dotenv(".env")
    return Outputs(settings.storage_url)
