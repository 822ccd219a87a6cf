"""What must not leave the process, and what must."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_bridge import LogBridge, Redaction
from otel_bridge.bridge.redaction import CREDENTIALS, NAMES, NUMBER, PARAMETER, _number, is_bsn, replacement
from otel_bridge.bridge.values import Walk
from otel_bridge.catalogue import shipped
from tests.bridge.foreign import raised
from tests.otlp import Memory

BSN = "123456782"
"""Passes the eleven-test."""
TOKEN = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"  # noqa: S105 - an example
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJvcGVuLXphYWsifQ.c2lnbmF0dXJl-_"


def redacted(key: str, value: object) -> Any:
    """Return what the default rules leave of *value* under *key*."""
    return Walk(Redaction()).attribute(key, value)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("password", "password"),
        ("PASSWORD", "password"),
        ("new_password2", "password"),
        ("db_passwd", "password"),
        ("wachtwoord", "password"),
        ("secret", "secret"),
        ("client_secret", "secret"),
        ("SECRET_KEY", "secret"),
        ("private-key", "secret"),
        ("authorization", "authorization"),
        ("HTTP_AUTHORIZATION", "authorization"),
        ("Proxy-Authorization", "authorization"),
        ("cookie", "cookie"),
        ("Set-Cookie", "cookie"),
        ("sessionid", "session"),
        ("session_id", "session"),
        ("session_key", "session"),
        ("csrftoken", "csrf"),
        ("csrf_token", "csrf"),
        ("csrfmiddlewaretoken", "csrf"),
        ("api_key", "api key"),
        ("X-Api-Key", "api key"),
        ("token", "token"),
        ("tokens", "token"),
        ("access_token", "token"),
        ("refreshToken", "token"),
        ("bsn", "bsn"),
        ("BSN", "bsn"),
        ("inpBsn", "bsn"),
        ("inp_bsn", "bsn"),
        ("subject.bsn", "bsn"),
        ("burgerservicenummer", "bsn"),
    ],
)
def test_a_secret_is_known_by_its_key(key: str, kind: str) -> None:
    """Whatever the value, and however the key is written."""
    assert redacted(key, "x") == f"[redacted: {kind}]"


@pytest.mark.parametrize(
    "key",
    [
        "token_identifier",
        "token_application",
        "client_id",
        "service_identifier",
        "identificatie",
        "tokens_removed",
        "password_changed",
        "secretaris",
        "csrf_failure",
        "cookie_count",
        "keynote",
        "author",
    ],
)
def test_what_only_sounds_like_a_secret_stays(key: str) -> None:
    """Identifiers are what operators search by."""
    assert redacted(key, "x") == "x"


def test_no_documented_key_is_redacted() -> None:
    """Every key that the five systems document arrives."""
    keys = {key.name for system in shipped().systems for event in system.events for key in event.keys}
    assert {key for key in keys if Redaction().kind(key)} == set()


@pytest.mark.parametrize("value", [123456782, 1.5, True, ["x"], {"a": "x"}, b"x"])
def test_a_secret_key_hides_a_value_of_any_type(value: object) -> None:
    """`bsn` as an integer, too."""
    assert redacted("bsn", value) == "[redacted: bsn]"


def test_null_is_no_secret() -> None:
    """What is not there need not be hidden."""
    assert redacted("bsn", None) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"password": "x", "a": 1}, {"password": "[redacted: password]", "a": 1}),
        ({"a": {"b": {"inpBsn": 123456782}}}, {"a": {"b": {"inpBsn": "[redacted: bsn]"}}}),
        ([{"token": "x"}], [{"token": "[redacted: token]"}]),
        (["a", {"token": "x"}], ["a", '{"token": "[redacted: token]"}']),
        ([f"burger {BSN}"], ["burger [redacted: bsn]"]),
        ({"url": f"/x?bsn={BSN}"}, {"url": "/x?bsn=[redacted: bsn]"}),
        ({"password": None}, {"password": None}),
    ],
)
def test_nested_values_are_redacted(value: object, expected: object) -> None:
    """In maps and lists, at any depth."""
    assert redacted("data", value) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"GET /x?inpBsn={BSN}", "GET /x?inpBsn=[redacted: bsn]"),
        (f"/x?a=1&bsn={BSN}&b=2", "/x?a=1&bsn=[redacted: bsn]&b=2"),
        ("/x?filter[password]=y", "/x?filter[password]=[redacted: password]"),
        ("/x?token=y#part", "/x?token=[redacted: token]#part"),
        ("a=1;sessionid=y", "a=1;sessionid=[redacted: session]"),
        ("Cookie: sessionid=x; csrftoken=y", "Cookie: sessionid=[redacted: session]; csrftoken=[redacted: csrf]"),
        ("connect password=hunter2 user=x", "connect password=[redacted: password] user=x"),
        ("User(name='x', password='y z')", "User(name='x', password=[redacted: password])"),
        ('Login(token="y z", a=1)', "Login(token=[redacted: token], a=1)"),
        (f"/personen/{BSN}/", "/personen/[redacted: bsn]/"),
        (f"/x?next=%2Fy%3FinpBsn%3D{BSN}", "/x?next=%2Fy%3FinpBsn%3D[redacted: bsn]"),
        ("https://user:pass@host/x", "https://[redacted: credentials]@host/x"),
        ("redis://:pass@host/0", "redis://[redacted: credentials]@host/0"),
        ("postgres://u:p@ss@host/db", "postgres://[redacted: credentials]@host/db"),
        ("Authorization: Bearer abc123def456", "Authorization: Bearer [redacted: authorization]"),
        ("bearer abcDEFghi", "bearer [redacted: authorization]"),
        ("Basic dXNlcjpwYXNz", "Basic [redacted: authorization]"),
        ("Basic YTpiYWJhYmE=", "Basic [redacted: authorization]"),
        (f"Authorization: Token {TOKEN}", "Authorization: Token [redacted: authorization]"),
        (JWT, "[redacted: jwt]"),
        (f"got {JWT}.", "got [redacted: jwt]."),
        (f"burger {BSN} belt", "burger [redacted: bsn] belt"),
        (f"burger {BSN}.", "burger [redacted: bsn]."),
        (f'{{"bsn": "{BSN}"}}', '{"bsn": "[redacted: bsn]"}'),
        (f"{BSN},111222333", "[redacted: bsn],[redacted: bsn]"),
        (f"\n{BSN}\n", "\n[redacted: bsn]\n"),
    ],
)
def test_a_secret_is_known_in_a_text(text: str, expected: str) -> None:
    """By its parameter, or by its form."""
    assert redacted("key", text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "basic principles",
        "Basic Authentication failed",
        "bearer of the news",
        "token signature",
        "token expired yesterday",
        "Token has wrong type",
        "2f9e9a5b-d549-4faa-a411-594aa8a52eee",
        "12345678-1234-1234-1234-123456782123",
        "2025-05-19T14:09:20.123456782Z",
        "call 0612345678 or +31612345678",
        "123456789 is no such number",
        "000000000 is none either",
        "0123456782 1234567820",
        "ZAAK-123456782",
        "v123456782",
        "1.123456782",
        "bronorganisatie=123456782",
        "identificatie: 123456782",
        "'zaaknummer': '123456782'",
        "RSIN = 123456782",
        "https://host/x@y",
        "https://host:8000/x",
        "user@host",
        "a=b",
        "/zaken?identificatie=123456782",
        "/zaken?page=2&token_identifier=x",
        "eyJ",
        "SELECT 1 WHERE a=1",
        "€" * 300,
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """Operators search by it."""
    assert redacted("key", text) == text


@pytest.mark.parametrize("key", ["identificatie", "bronorganisatie", "nummer", "zaaknummer", "uuid", "anything"])
@pytest.mark.parametrize("value", [BSN, int(BSN)])
def test_a_number_that_is_a_whole_value_stays(key: str, value: object) -> None:
    """Cases and organisations have numbers of the same form."""
    assert redacted(key, value) == value


@pytest.mark.parametrize(
    ("digits", "expected"),
    [("123456782", True), ("111222333", True), ("123456789", False), ("000000000", False), ("012345672", True)],
)
def test_the_eleven_test(digits: str, expected: object) -> None:
    """Nine digits, weighted: https://nl.wikipedia.org/wiki/Burgerservicenummer#11-proef."""
    assert is_bsn(digits) is expected


SECRET = f"https://u:p@host/x?inpBsn={BSN}"
HIDDEN = "https://[redacted: credentials]@host/x?inpBsn=[redacted: bsn]"


def test_the_body_is_redacted(memory: Memory) -> None:
    """Free text may hold anything."""
    LogBridge(memory.provider)(None, "info", {"event": f"fetched {SECRET}"})
    assert memory.record.body == f"fetched {HIDDEN}"


def test_the_positional_arguments_of_the_body_are_redacted(memory: Memory) -> None:
    """Also where the bridge formats them."""
    LogBridge(memory.provider)(None, "info", {"event": "fetched %s", "positional_args": (SECRET,)})
    assert memory.record.body == f"fetched {HIDDEN}"


@pytest.mark.parametrize("key", ["exception.message", "exception.stacktrace"])
def test_an_exception_is_redacted(memory: Memory, key: str) -> None:
    """Its message stands in both."""
    LogBridge(memory.provider)(None, "error", {"event": "x", "exc_info": raised(ValueError(SECRET))})
    assert HIDDEN in memory.record.attributes[key]
    assert BSN not in memory.record.attributes[key]


def test_a_rendered_stack_is_redacted(memory: Memory) -> None:
    """Source lines hold literals."""
    LogBridge(memory.provider)(None, "info", {"event": "x", "stack": f"Stack:\n  f(x='{SECRET}')"})
    assert memory.record.attributes["code.stacktrace"] == f"Stack:\n  f(x='{HIDDEN}')"


@pytest.mark.parametrize("key", ["request", "path"])
def test_what_is_derived_from_a_request_is_redacted(memory: Memory, key: str) -> None:
    """The query stands in `url.query` as well."""
    path = f"/x?inpBsn={BSN}&token=y"
    event_dict = {"event": "request_started", "request": f"GET {path}", "method": "GET", "path": path}
    LogBridge(memory.provider)(None, "info", event_dict)
    attributes = memory.record.attributes
    assert attributes["url.query"] == "inpBsn=[redacted: bsn]&token=[redacted: token]"
    assert attributes[key].endswith("/x?inpBsn=[redacted: bsn]&token=[redacted: token]")


def test_the_event_dict_is_not_redacted(memory: Memory) -> None:
    """What stdout shows is the application's."""
    event_dict = {"event": SECRET, "data": {"password": "x"}}
    LogBridge(memory.provider)(None, "info", event_dict)
    assert event_dict == {"event": SECRET, "data": {"password": "x"}}


def test_without_redaction_everything_stays(memory: Memory) -> None:
    """`redaction=None`."""
    LogBridge(memory.provider, redaction=None)(None, "info", {"event": SECRET, "password": "x"})
    assert (memory.record.body, memory.record.attributes["password"]) == (SECRET, "x")


@pytest.mark.parametrize("key", ["onderwerp", "Onderwerp", "zaak_onderwerp"])
def test_names_are_added(key: str) -> None:
    """A user's own name is what the replacement says."""
    walk = Walk(Redaction(names=["onderwerp"]))
    assert walk.attribute(key, "x") == "[redacted: onderwerp]"


def test_names_are_parameters_too() -> None:
    """In a query string as well as by key."""
    assert Redaction(names=["geslachtsnaam"]).text("/x?geslachtsnaam=y") == "/x?geslachtsnaam=[redacted: geslachtsnaam]"


@pytest.mark.parametrize("text", ["ZAAK-1", "see ZAAK-1 and ZAAK-1"])
def test_patterns_are_added(text: str) -> None:
    """Also where no default rule would look."""
    assert Redaction(patterns={"zaak": r"ZAAK-\d"}).text(text) == text.replace("ZAAK-1", "[redacted: zaak]")


@pytest.mark.parametrize("kind", sorted({*NAMES.values()}))
def test_a_kind_of_key_is_taken_away(kind: str) -> None:
    """`without` leaves out what it names."""
    rules = Redaction(without=[kind])
    assert [name for name, of in NAMES.items() if of == kind and rules.kind(name) == kind] == []


@pytest.mark.parametrize("kind", sorted(CREDENTIALS))
def test_a_kind_of_value_is_taken_away(kind: str) -> None:
    """Forms as well as names."""
    text = f"https://u:p@host Bearer abc123def456 {JWT}"
    assert f"[redacted: {kind}]" in Redaction().text(text)
    assert f"[redacted: {kind}]" not in Redaction(without=[kind]).text(text)


def test_citizen_service_numbers_may_stay() -> None:
    """`without=["bsn"]` leaves key, parameter and number alone."""
    text = f"burger {BSN} ?bsn={BSN}"
    assert Redaction(without=["bsn"]).text(text) == text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [({"without": ["pasword"]}, "pasword"), ({"names": ["-"]}, "-"), ({"names": [""]}, "every key")],
)
def test_a_wrong_rule_raises_at_once(arguments: dict[str, Any], sentence: str) -> None:
    """With what is wrong in the message."""
    with pytest.raises(ValueError, match=sentence):
        Redaction(**arguments)


@pytest.mark.parametrize(
    "text",
    [
        "x" * 250_000 + f" {BSN}",
        "-eyJ" * 60_000,
        "-eyJaaaaa." * 25_000,
        "bearer " * 35_000,
        "a=" * 100_000,
        "://a:" * 50_000,
        "'=\"" * 80_000,
        "a='b=\"" * 40_000,
        "1234567 " * 30_000 + BSN,
        "a.b-" * 60_000 + " a=1",
        "%12" * 80_000 + BSN,
    ],
    ids=range(11),
)
def test_the_time_is_bounded(text: str) -> None:
    """An event holds what anybody sent; a text of 250,000 characters costs no more than a fraction of a second."""
    started = time.thread_time()
    Redaction().text(text)
    assert time.thread_time() - started < 1


def test_a_key_of_any_length_is_asked_in_no_time() -> None:
    """Keys may be somebody's input, too."""
    started = time.thread_time()
    assert Redaction().kind("x" * 1_000_000 + "password") == "password"
    assert time.thread_time() - started < 1


@given(st.lists(st.sampled_from(["?", "&", " ", "'", "x", "bsn=", "password=", "://", ":", "@", BSN])).map("".join))
def test_redaction_is_done_once(text: str) -> None:
    """What was redacted stays as it is."""
    once = Redaction().text(text)
    assert Redaction().text(once) == once


@given(
    st.text(alphabet="abc =&?/:@'\"123456782[]%.-{}(),\n", max_size=200).map(lambda text: f"{text} bsn={BSN} {text}")
)
def test_a_number_under_its_name_never_stays(text: str) -> None:
    """Whatever stands around it."""
    assert f"bsn={BSN} " not in Redaction().text(text)


FRAGMENTS = st.sampled_from(
    [
        *("bsn=", "token=", "a=b", "?page=1", "&inp[bsn]=", "://", "u:p", "@", "eyJ", "eyJhbGciOi.eyJzdWIiOi.x"),
        *("Bearer ", "bearer abc12345", "BASIC dXNlcjpwYXNz", "token ", "0123456789abcdef" * 3),
        *(
            "123456782",
            "12345678",
            "0123456782",
            "%20123456782",
            "%3d123456782",
            "\u0661\u0662",
            "é",
            "\ud800",
            " ",
            "/",
            "\n",
            '"',
            "'",
            "-",
            ".",
            "x",
        ),
    ]
)


@given(st.lists(FRAGMENTS, max_size=8).map("".join))
def test_a_look_for_a_piece_of_text_hides_nothing(text: str) -> None:
    """What is found when every pattern is tried on every text is found."""
    rules = Redaction()
    expected = PARAMETER.sub(rules._parameter, text)
    for kind, pattern in CREDENTIALS.items():
        expected = pattern.sub(replacement(kind), expected)
    if len(expected) > 9:
        expected = NUMBER.sub(_number, expected)
    assert rules.text(text) == expected
