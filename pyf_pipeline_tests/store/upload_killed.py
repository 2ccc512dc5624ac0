"""A process that writes one partition and is killed when it asks S3 for something: `… URL PARTITION OPERATION`."""

import os
import signal
import sys
from typing import Any

import pyarrow as pa
from s3fs import S3FileSystem

from pyf_pipeline.store.objects import PART_BYTES
from pyf_pipeline.store.outputs import Outputs


def main(url: str, partition: str, operation: str) -> None:
    asked = S3FileSystem._call_s3

    async def asking(self: S3FileSystem, method: str, *args: Any, **kwargs: Any) -> Any:
        # Of several parts, the first one is to have arrived.
        if method == operation and kwargs.get("PartNumber") != 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return await asked(self, method, *args, **kwargs)

    S3FileSystem._call_s3 = asking
    Outputs(url).write("asset", partition, pa.table({"n": [os.urandom(2 * PART_BYTES + 1)]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
