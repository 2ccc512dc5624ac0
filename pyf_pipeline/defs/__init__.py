"""All that is Dagster: partitions, assets, checks, jobs, schedules, sensors, resources, I/O managers."""

from dotenv import load_dotenv

# Dagster's own commands read .env; a code server or a run worker that something else starts does not.
load_dotenv(".env")
