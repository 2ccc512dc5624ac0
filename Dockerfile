# One image for the code server, the webserver, the daemon and the search page; docker-compose.yml tells them apart.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
WORKDIR /src
# First what seldom changes: the dependencies, each by its hash.
COPY deploy/requirements.txt deploy/
RUN /opt/venv/bin/pip install --require-hashes -r deploy/requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY pyf_pipeline pyf_pipeline
COPY pyf_pipeline_tests pyf_pipeline_tests
RUN /opt/venv/bin/pip install --no-deps --no-build-isolation . \
    && /opt/venv/bin/pip uninstall --yes hatchling editables pathspec pluggy pip setuptools

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/pyf --create-home pyf \
    && install --directory --owner=pyf --group=pyf /opt/dagster
COPY --from=build /opt/venv /opt/venv
COPY deploy/dagster.yaml deploy/workspace.yaml /opt/dagster/
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DAGSTER_HOME=/opt/dagster \
    DAGSTER_STATE=/var/lib/pyf/dagster \
    PYF_HOME=/var/lib/pyf
USER pyf
WORKDIR /opt/dagster
VOLUME /var/lib/pyf
CMD ["dagster", "api", "grpc", "--module-name", "pyf_pipeline.definitions", "--host", "0.0.0.0", "--port", "4000"]
