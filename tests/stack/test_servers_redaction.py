"""The Collector's redaction: by key, by query parameter, and by a few unmistakable values."""

import uuid
from collections.abc import Callable
from typing import Final

import pytest

from stack import Stack
from tests.stack.asking import attributes, both, documents, entries, record, send

MASKED: Final = {
    "password": "hunter2-secret",
    "DB_PASSWORD": "hunter2-secret",
    "client_secret": "hunter2-secret",
    "Authorization": "hunter2-secret",
    "set-cookie": "sessionid=hunter2-secret",
    "csrftoken": "hunter2-secret",
    "accessToken": "hunter2-secret",
    "X-Api-Key": "hunter2-secret",
    "inpBsn": "hunter2-secret",
    "request": "GET /zaken?page=1&token=hunter2-secret",
    "url.query": "access_token=hunter2-secret&page=1",
    "path": "/personen?rol__betrokkeneIdentificatie__natuurlijkPersoon__inpBsn=hunter2-secret",
    "error": "no route to postgres://user:hunter2-secret@db/zaken",
    "header": "Bearer hunter2-secret-hunter2-secret",
}


PLACES: Final[dict[str, Callable[[str, str], dict[str, object]]]] = {
    "top": lambda key, value: {key: value},
    "deep": lambda key, value: {"data": [{"deep": {key: value}}]},
}


@pytest.fixture(scope="module")
def sent(stack: Stack) -> str:
    """Send every secret at every place, and return what its request ids start with."""
    run = uuid.uuid4().hex
    places = [
        (f"{run}-{place}-{key}", put(key, value)) for key, value in MASKED.items() for place, put in PLACES.items()
    ]
    send(stack, [record({**secret, "request_id": name}) for name, secret in places])
    return run


@pytest.mark.parametrize("key", MASKED)
@pytest.mark.parametrize("place", PLACES)
def test_secrets(stack: Stack, sent: str, key: str, place: str) -> None:
    """A secret by its key or in a query reaches neither store, at the top and in the depth of a value."""
    [entry] = entries(stack, f"{sent}-{place}-{key}")
    [document] = documents(stack, f'request_id:"{sent}-{place}-{key}"')
    for found in (entry, document):
        assert "hunter2" not in repr(found)
        assert "****" in repr(found)


INNOCENT: Final = {
    "token_identifier": "zaken-frontend",
    "token_application": "Zaken frontend",
    "client_id": "open-zaak",
    "service_identifier": "openzaak-vng",
    "kleur": "the token signature is invalid; basic understanding; bearer of bad news",
    "request": "GET /zaken?ordering=token&page=2",
    "url.query": "page=2&status=open",
    "password_changed": "yes",
    "identificatie": "ZAAK-123456782",
    "error": "GET https://example.nl:8000/zaken/1@2 failed",
    "title": "[redacted: token] was here",
}


def test_innocent_values(stack: Stack, request_id: str) -> None:
    """Identifiers, and phrases that merely speak of secrets, stay as they are."""
    send(stack, [record({**INNOCENT, "request_id": request_id}, "Invalid token signature")])
    document, entry = both(stack, request_id)
    found = attributes(document)
    assert found | found.pop("extra") == INNOCENT
    assert entry.line == "Invalid token signature"


def test_secrets_in_the_body(stack: Stack, request_id: str) -> None:
    """A body is redacted like any value, be it text or a map."""
    send(
        stack,
        [
            record({"request_id": request_id}, "GET /zaken?token=hunter2"),
            record({"request_id": request_id}, {"user": {"password": "hunter2"}}),
        ],
    )
    found = [*documents(stack, f"request_id:{request_id}", 2), *entries(stack, request_id, 2)]
    assert "hunter2" not in repr(found)
