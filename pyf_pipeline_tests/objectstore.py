"""An S3-compatible service of the tests' own: moto's server, on loopback."""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import httpx
from moto.server import ThreadedMotoServer


@dataclass(frozen=True)
class ObjectStore:
    """Where a service answers, and to whom: to every key, unless it is told to refuse them.

    Attributes:
        endpoint: Its address.
        secret: What must not be seen anywhere.
    """

    endpoint: str
    secret: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which everybody who speaks S3 finds it."""
        return {
            "AWS_ACCESS_KEY_ID": "tests",
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            # Nobody is to look for keys elsewhere.
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self) -> Any:
        """A client that shares nothing with those of the project, as if it were another machine's."""
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id="tests",
            aws_secret_access_key=self.secret,
            region_name="us-east-1",
        )

    def bucket(self) -> str:
        """A new bucket's name."""
        name = f"bucket-{uuid.uuid4().hex[:8]}"
        self.client().create_bucket(Bucket=name)
        return name

    @contextmanager
    def refusing_every_key(self) -> Iterator[None]:
        """Have it know no key, and therefore refuse every one."""
        self._let_in("0")
        try:
            yield
        finally:
            self._let_in("inf")

    def _let_in(self, times: str) -> None:
        httpx.post(f"{self.endpoint}/moto-api/reset-auth", content=times).raise_for_status()


@contextmanager
def serving() -> Iterator[ObjectStore]:
    """A new, empty service for as long as the context lasts."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        yield ObjectStore("http://{}:{}".format(*server.get_host_and_port()))
    finally:
        server.stop()
