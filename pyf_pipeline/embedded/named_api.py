"""The requests about what searches and fields can name: presets and stop words."""

from pyf_pipeline.embedded import presets, stopwords
from pyf_pipeline.embedded.messages import Answer, Request, json_answer
from pyf_pipeline.embedded.service import Service


def list_presets(service: Service, _: Request) -> Answer:
    """GET /presets."""
    with service.storage.read() as connection:
        return json_answer({"presets": presets.list_presets(connection)})


def put_preset(service: Service, request: Request, name: str) -> Answer:
    """PUT /presets/:p."""
    body = request.json()
    with service.storage.write() as connection:
        return json_answer(presets.put_preset(connection, name, body))


def get_preset(service: Service, _: Request, name: str) -> Answer:
    """GET /presets/:p."""
    with service.storage.read() as connection:
        return json_answer(presets.get_preset(connection, name))


def delete_preset(service: Service, _: Request, name: str) -> Answer:
    """DELETE /presets/:p."""
    with service.storage.write() as connection:
        return json_answer(presets.delete_preset(connection, name))


def list_stopwords(service: Service, _: Request) -> Answer:
    """GET /stopwords."""
    with service.storage.read() as connection:
        return json_answer({"stopwords": stopwords.list_stopwords(connection)})


def put_stopwords(service: Service, request: Request, name: str) -> Answer:
    """PUT /stopwords/:s."""
    body = request.json()
    with service.storage.write() as connection:
        return json_answer(stopwords.put_stopwords(connection, name, body))


def get_stopwords(service: Service, _: Request, name: str) -> Answer:
    """GET /stopwords/:s."""
    with service.storage.read() as connection:
        return json_answer({"stopwords": stopwords.get_stopwords(connection, name)})


def delete_stopwords(service: Service, _: Request, name: str) -> Answer:
    """DELETE /stopwords/:s."""
    with service.storage.write() as connection:
        return json_answer(stopwords.delete_stopwords(connection, name))
