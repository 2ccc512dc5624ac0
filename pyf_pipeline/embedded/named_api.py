"""The requests about what searches and fields can name: presets, stop words, stemming dictionaries."""

from pyf_pipeline.embedded import alteration, dictionaries, named, presets, stopwords
from pyf_pipeline.embedded.errors import bad_request
from pyf_pipeline.embedded.jsontext import dumps
from pyf_pipeline.embedded.messages import Answer, Request, json_answer, text_answer
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


def list_dictionaries(service: Service, _: Request) -> Answer:
    """GET /stemming/dictionaries."""
    with service.storage.read() as connection:
        return json_answer({"dictionaries": named.names(connection, named.DICTIONARY)})


def put_dictionary(service: Service, request: Request) -> Answer:
    """POST /stemming/dictionaries/import?id=: the words as they were sent, line by line."""
    name = request.query.get("id", "")
    with service.storage.write() as connection:
        words = dictionaries.put_dictionary(connection, name, request.stream().read())
        alteration.index_again(connection, name)
    return text_answer([dumps(word) for word in words])


def get_dictionary(service: Service, _: Request, name: str) -> Answer:
    """GET /stemming/dictionaries/:d."""
    with service.storage.read() as connection:
        return json_answer(dictionaries.get_dictionary(connection, name))


def delete_dictionary(service: Service, _: Request, name: str) -> Answer:
    """DELETE /stemming/dictionaries/:d: one that no field needs."""
    with service.storage.write() as connection:
        users = alteration.stemmed_by(connection, name)
        if users:
            raise bad_request(f"Stemming dictionary `{name}` is used by `{users[0][0].schema.name}`.")
        return json_answer(dictionaries.delete_dictionary(connection, name))
