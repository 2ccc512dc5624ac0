"""`.env.example` and `settings.py` say the same."""

import re
from pathlib import Path

from dotenv import dotenv_values

from pyf_pipeline.settings import Settings, load_settings

ROOT = Path(__file__).parents[1]
EXAMPLE = (ROOT / ".env.example").read_text()
OFFERED = dict(re.findall(r"^#([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
# What Dagster, the compose file and clients of object storage read, and the settings do not.
OTHERS = {
    *("DAGSTER_HOME", "POSTGRES_PASSWORD", "BIND_ADDRESS", "WEBSERVER_PORT", "TYPESENSE_PUBLIC_PORT", "PAGE_PORT"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    *("AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_REQUEST_CHECKSUM_CALCULATION"),
}


def test_every_setting_is_there_and_nothing_else() -> None:
    assert OFFERED.keys() == {name.upper() for name in Settings.model_fields} | OTHERS


def test_the_values_shown_are_the_defaults() -> None:
    assert load_settings(OFFERED, ROOT / ".env.example") == load_settings({}, ROOT / ".env.example")


def test_nothing_is_set_until_somebody_does() -> None:
    assert dotenv_values(ROOT / ".env.example") == {}


def test_every_setting_is_explained() -> None:
    lines = EXAMPLE.splitlines()
    for name in OFFERED:
        at = next(number for number, line in enumerate(lines) if line.startswith(f"#{name}="))
        above = lines[at - 1]
        # Neighbours may share an explanation, as the address and the ports of the containers do.
        neighbours = ("#BIND_ADDRESS=", "#WEBSERVER_PORT=", "#TYPESENSE_PUBLIC_PORT=", "#AWS_")
        assert above.startswith(("# ", *neighbours)), f"{name} is not explained"


def test_compose_reads_only_what_the_example_names() -> None:
    read = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    assert read <= OFFERED.keys()
