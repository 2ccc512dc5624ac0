"""Every environment variable that the project reads, in one place, with its default and its meaning.

The values come from the environment and, below it, from a `.env` file in the working directory, which is where
Dagster's own commands look for one as well.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

NO_SERVER_KEY = "embedded"


class SettingsError(ValueError):
    """A setting cannot be used; the text names the variable, what is wrong with it and what would be right."""


def _http_address(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return value.rstrip("/")


def _node_address(node: str, protocol: str, port: int) -> str:
    """A node as `http://host:port`, with the protocol and the port that it does not name itself filled in.

    Raises:
        ValueError: It names no host, or a port or protocol that cannot be.
    """
    try:
        parts = urlsplit(node if "://" in node else f"{protocol}://{node}")
        host, own_port = parts.hostname, parts.port
    except ValueError:
        host, own_port = None, None
    if not host or parts.scheme not in {"http", "https"} or parts.username is not None or parts.query:
        raise ValueError("each node should be host:port, or an address such as https://search.example:443")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}:{own_port or port}{parts.path.rstrip('/')}"


def _nodes(value: str) -> str:
    for node in value.split(","):
        if node.strip():
            _node_address(node.strip(), "http", 8108)
    return value


def _storage(value: str) -> str:
    scheme, is_address, place = value.partition("://")
    if "@" in place:
        raise ValueError("must hold no keys: they belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    if value.startswith("s3:") and not place.partition("/")[0]:
        raise ValueError("names no bucket: s3://bucket, or s3://bucket/prefix")
    return f"{scheme}{is_address}{place.rstrip('/')}" if is_address else value


def _absolute(value: Path) -> Path:
    return value.expanduser().absolute()


HttpAddress = Annotated[str, AfterValidator(_http_address)]
AbsolutePath = Annotated[Path, AfterValidator(_absolute)]


class Settings(BaseModel):
    """The settings of one process; each field is read from the variable of its name in upper case."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    pypi_url: HttpAddress = Field("https://pypi.org", description="Where PyPI answers.")
    pypi_concurrency: int = Field(32, ge=1, le=256, description="Connections to PyPI at once, at most.")
    pypi_discovery: Literal["auto", "xmlrpc", "index"] = Field(
        "auto",
        description="How projects with a classifier are found: by XML-RPC, by the index, or as it goes.",
    )
    pypi_discovery_hours: float = Field(
        24,
        ge=0,
        description="Hours for which an answer of XML-RPC is good: the index tells what moved since.",
    )
    pyf_contact: str = Field("", description="Your address or page, for administrators of PyPI and of others.")

    github_api_url: HttpAddress = Field("https://api.github.com", description="Where GitHub's API answers.")
    github_token: SecretStr | None = Field(
        None, description="With a token GraphQL is asked (5,000 points an hour), without one REST (60 calls)."
    )
    github_coolofftime: float = Field(0, ge=0, description="Seconds between two calls to GitHub.")
    github_cache_hours: float = Field(24, ge=0, description="Hours for which a repository's figures are good.")

    pypistats_url: HttpAddress | None = Field(
        None,
        description="Where pypistats answers: https://pypistats.org; unset: nobody is asked for downloads.",
    )
    pypistats_per_minute: float = Field(
        30, gt=0, le=6_000, description="Calls to pypistats a minute, of all runs together; it allows 30."
    )
    pypistats_minutes: float = Field(10, gt=0, description="Minutes for which one run may ask pypistats.")
    pypistats_cache_hours: float = Field(168, ge=0, description="Hours for which a project's downloads are good.")

    typesense_host: str = Field("", description="The search server's host; unset: the embedded index.")
    typesense_port: int = Field(8108, ge=1, le=65535, description="The search server's port.")
    typesense_protocol: Literal["http", "https"] = Field("http", description="http or https.")
    typesense_nodes: Annotated[str, AfterValidator(_nodes)] = Field(
        "",
        description="All nodes of a cluster in place of TYPESENSE_HOST: host:port or addresses, with commas between.",
    )
    typesense_api_key: SecretStr | None = Field(None, description="An admin key; needed with TYPESENSE_HOST.")
    typesense_search_key: SecretStr | None = Field(
        None, description="A search-only key that the search page hands out; unset: it makes one."
    )
    typesense_timeout: float = Field(120, gt=0, description="Seconds for which one request may take.")

    pyf_home: AbsolutePath = Field(Path(".pyf"), description="Where state is kept unless told otherwise.")
    pyf_store_url: str = Field("", description="What is remembered between runs: an SQLAlchemy address.")
    pyf_storage_url: Annotated[str, AfterValidator(_storage)] = Field(
        "", description="Where asset outputs go: a folder, or s3://bucket/prefix."
    )
    pyf_profiles: str = Field("", description="A YAML file or a folder of them with profiles of your own.")
    pyf_retry_seconds: float = Field(
        30, ge=0, description="Seconds until a step that met a passing trouble is tried again; then twice as many."
    )
    pyf_poll_seconds: int = Field(60, ge=10, description="Seconds between two looks at PyPI's release feeds.")
    pyf_daily_cron: str = Field("17 4 * * *", description="When daily_reconcile runs, as a cron expression.")
    pyf_weekly_cron: str = Field("43 5 * * 0", description="When weekly_github_refresh runs, as a cron expression.")
    pyf_monthly_cron: str = Field("29 2 1 * *", description="When monthly_full_refresh runs, as a cron expression.")
    pyf_health_cron: str = Field("19 6 * * *", description="When daily_health_report runs, as a cron expression.")
    pyf_downloads_cron: str = Field("11 6 * * *", description="When daily_download_refresh runs, as a cron expression.")
    pyf_timezone: str = Field("UTC", description="The time zone of these times, such as Europe/Berlin.")
    pyf_alert_webhook: SecretStr | None = Field(
        None, description="Where digests of failed runs are posted; a secret, since whoever has it can post."
    )

    default_profile: str = Field("", description="The profile of commands that are not given one.")

    @property
    def store_url(self) -> str:
        """The SQLAlchemy address of the store; by default an SQLite file under `PYF_HOME`."""
        return self.pyf_store_url or f"sqlite:///{self.pyf_home / 'store.sqlite3'}"

    @property
    def storage_url(self) -> str:
        """The folder or object storage prefix of asset outputs; by default a folder under `PYF_HOME`."""
        return self.pyf_storage_url or str(self.pyf_home / "storage")

    @property
    def kept_here(self) -> tuple[str, ...]:
        """The variables that are not set, so that what they are about is kept under `PYF_HOME`."""
        return tuple(
            variable
            for variable, value in (
                ("PYF_STORE_URL", self.pyf_store_url),
                ("PYF_STORAGE_URL", self.pyf_storage_url),
                ("TYPESENSE_HOST", self.typesense_addresses),
            )
            if not value
        )

    @property
    def made_profiles(self) -> Path:
        """The folder of the profiles that commands have made."""
        return self.pyf_home / "profiles"

    @property
    def profile_paths(self) -> tuple[Path, ...]:
        """Where there are profiles beside the built-in ones: those that commands have made, and then the user's own."""
        made = [self.made_profiles] if self.made_profiles.is_dir() else []
        return (*made, *([Path(self.pyf_profiles)] if self.pyf_profiles else []))

    @property
    def embedded_path(self) -> Path | None:
        """The embedded index's file, or None where a Typesense server is configured."""
        return None if self.typesense_addresses else self.pyf_home / "search.sqlite3"

    @property
    def typesense_addresses(self) -> tuple[str, ...]:
        """The search server's nodes, as `http://host:port`; none where the embedded index is to be used."""
        nodes = [node.strip() for node in self.typesense_nodes.split(",") if node.strip()]
        if not nodes and self.typesense_host:
            host = f"[{self.typesense_host}]" if ":" in self.typesense_host else self.typesense_host
            nodes = [f"{host}:{self.typesense_port}"]
        return tuple(_node_address(node, self.typesense_protocol, self.typesense_port) for node in nodes)

    @property
    def api_key(self) -> str:
        """The search server's admin key; the embedded index in process has no door that needs one.

        Raises:
            SettingsError: A server is configured without a key.
        """
        if self.typesense_api_key is not None:
            return self.typesense_api_key.get_secret_value()
        if self.typesense_addresses:
            variable, value = ("TYPESENSE_NODES", self.typesense_nodes)
            if not value:
                variable, value = ("TYPESENSE_HOST", self.typesense_host)
            raise SettingsError(
                f"{variable} is {value!r} but TYPESENSE_API_KEY is not set: "
                "set it to the server's admin key, in the environment or in .env"
            )
        return NO_SERVER_KEY


def load_settings(environ: Mapping[str, str] | None = None, dotenv: Path | None = None) -> Settings:
    """Read the settings from the environment and, for what is not set there, from a `.env` file.

    An empty variable counts as unset, as compose files pass on what nobody has set.

    Args:
        environ: The environment; by default this process's own.
        dotenv: The file; by default `.env` in the working directory. It need not exist.

    Raises:
        SettingsError: A value cannot be used.
    """
    environ = os.environ if environ is None else environ
    values = {**dotenv_values(dotenv or Path(".env")), **environ}
    given = {name: values.get(name.upper()) for name in Settings.model_fields}
    try:
        return Settings.model_validate({name: value for name, value in given.items() if value})
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None


def _explain(error: ValidationError) -> str:
    """One line per unusable variable. The values of secrets are never echoed: only the variable is named."""
    lines = []
    for problem in error.errors(include_url=False, include_context=False):
        variable = str(problem["loc"][0]).upper()
        shown = "" if variable.endswith(("KEY", "TOKEN", "URL", "NODES")) else f"={problem['input']!r}"
        meaning = Settings.model_fields[variable.lower()].description
        lines.append(f"{variable}{shown}: {problem['msg']} ({meaning})")
    return "\n".join(lines)
