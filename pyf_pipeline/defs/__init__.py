"""All that is Dagster: partitions, assets, checks, jobs, schedules, sensors, resources, I/O managers."""
