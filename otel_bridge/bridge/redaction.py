"""What must not leave the process: secrets and personal data, by key, by query parameter and by value."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Final

NAMES: Final[Mapping[str, str]] = {
    "password": "password",
    "passwords": "password",
    "passwd": "password",
    "passphrase": "password",
    "pwd": "password",
    "wachtwoord": "password",
    "secret": "secret",
    "secrets": "secret",
    "secretkey": "secret",
    "privatekey": "secret",
    "clientkey": "secret",
    "authorization": "authorization",
    "wwwauthenticate": "authorization",
    "cookie": "cookie",
    "cookies": "cookie",
    "sessionid": "session",
    "sessionkey": "session",
    "csrf": "csrf",
    "csrftoken": "csrf",
    "csrfmiddlewaretoken": "csrf",
    "apikey": "api key",
    "apikeys": "api key",
    "token": "token",
    "tokens": "token",
    "jwt": "token",
    "bsn": "bsn",
    "burgerservicenummer": "bsn",
}
"""
How names of secret keys end, in lower case, without punctuation and the number of a form's second field
(`new_password2`), and the kind that the replacement says.

`client_secret`, `X-Api-Key`, `inpBsn` and `HTTP_AUTHORIZATION` all end so; `token_identifier`, `token_application`,
`client_id` and `service_identifier`, which identify and are no secrets, do not.
"""

IDENTIFYING: Final = frozenset(
    {"bronorganisatie", "identificatie", "nummer", "rsin", "verantwoordelijkeorganisatie", "zaaknummer"}
)
"""Names whose whole value may be a number of the same form as a citizen service number."""

CREDENTIALS: Final[Mapping[str, re.Pattern[str]]] = {
    "credentials": re.compile(r"(?<=://)[^\s/?#@:\"']*:[^\s/?#\"']+(?=@)"),
    "jwt": re.compile(r"(?<![\w-])eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*"),
    "authorization": re.compile(
        r"(?i:(?<=\bbearer )|(?<=\bbasic ))(?=[\w.~+/=-]*(?:[\d=]|[a-z][A-Z]))[\w.~+/=-]{8,}"
        r"|(?i:(?<=\btoken ))[0-9a-f]{40}\b"
    ),
}
"""
Secrets that are known by their form.

Credentials of a URL (https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1), JSON web tokens
(https://www.rfc-editor.org/rfc/rfc7519#section-3.1), bearer and basic credentials
(https://www.rfc-editor.org/rfc/rfc6750#section-2.1). The last want a digit, a capital inside or padding, so that
"basic principles" stays as it is. The 40 digits are a key of Django REST framework's `TokenAuthentication`.

None looks twice at the same part of a text: an event may hold what anybody sent.
"""

PARAMETER: Final = re.compile(
    r"(?<![^\s?&;,(\[{\"'])([\w.%\[\]-]+)=(\[redacted: [^\]]*\]|\"[^\"]*\"|'[^']*'|[^&;#\s\"'<>]*)"
)
"""A parameter of a query, or of a text that is written like one, such as the text of an object."""
NUMBER: Final = re.compile(
    r"(?:(?<!\w)([^\W\d]\w*)['\"]?\s?[=:]\s?['\"]?)?(?:(?<![\w.-])|(?<=%[0-9A-Fa-f]{2}))(\d{9})(?![\w-]|\.\d)"
)
"""Nine digits that stand alone, with the name that they are the value of where one precedes them."""
NINE_DIGITS: Final = re.compile(r"\d{9}")
PLAIN: Final = re.compile(r"[\w.-]*")
"""Names, UUIDs and the like, of which nothing but a JSON web token is a secret: one fast look for most texts."""
WORTH_A_LOOK: Final = re.compile(r"\d{9}|[\w\]]=|://[^\s/]*@|eyJ|(?i:bearer|basic|token) ")

PLAIN_BYTES: Final = bytes(code for code in range(128) if PLAIN.fullmatch(chr(code)))


def are_plain(texts: Sequence[object]) -> bool:
    """Tell whether *texts* are texts of ASCII letters, digits, `_`, `.` and `-`, and no JSON web tokens."""
    for text in texts:
        if type(text) is not str:
            return False
    joined = "".join(texts)  # type: ignore[arg-type]  # all are texts
    # Measured, two thirds of the cost of a regular expression.
    return joined.isascii() and not joined.encode().translate(None, PLAIN_BYTES) and "eyJ" not in joined


def _none_is_plain(_texts: Sequence[object]) -> bool:
    return False


def is_bsn(digits: str) -> bool:
    """Tell whether nine digits are a citizen service number: the eleven-test, and not all zeros."""
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return digits != "000000000" and sum(w * int(d) for w, d in zip(weights, digits, strict=True)) % 11 == 0


class Redaction:
    """
    The rules by which values are replaced before a record leaves the process.

    A replacement says what kind of thing it was: `[redacted: bsn]`.

    Args:
        names: Further names of keys and query parameters to redact, matched as the ending of a name, without regard
            to case and punctuation.
        patterns: Further regular expressions to redact wherever they match in a text, by the kind to say.
        without: Kinds of the default rules to leave out: those of `NAMES`, of `CREDENTIALS`, and `bsn`.

    Raises:
        ValueError: *without* names a kind that no default rule has, or one of *names* has no letter or digit.
        re.error: A pattern is no regular expression.
    """

    def __init__(
        self,
        names: Collection[str] = (),
        patterns: Mapping[str, str] | None = None,
        without: Collection[str] = (),
    ) -> None:
        kinds = {*NAMES.values(), *CREDENTIALS}
        if unknown := sorted(set(without) - kinds):
            raise ValueError(f"without={unknown} names no kind of redaction; choose from {sorted(kinds)}.")
        self._names = {name: kind for name, kind in NAMES.items() if kind not in without}
        if empty := [name for name in names if not _bare(name)]:
            raise ValueError(f"names={empty} would redact every key; write a letter or digit of the key's name.")
        self._names |= {_bare(name): name for name in names}
        self._patterns = {kind: pattern for kind, pattern in CREDENTIALS.items() if kind not in without}
        own = {kind: re.compile(pattern) for kind, pattern in (patterns or {}).items()}
        self._patterns |= own
        self._numbers = "bsn" not in without
        # Decides for nearly every text; a pattern of the user's own is always tried.
        self._worth_a_look: Callable[[str], object] = bool if own else _worth_a_look
        self.are_plain: Callable[[Sequence[object]], bool] = _none_is_plain if own else are_plain
        """Tells whether nothing in some texts is replaced; false where that takes a closer look."""
        self.kind = lru_cache(maxsize=4096)(self._kind)

    def _kind(self, name: str) -> str | None:
        """Return what kind of secret the value under key or parameter *name* is; `None` if it is none."""
        bare = _bare(name)
        unnumbered = bare.rstrip("0123456789")
        endings = [ending for ending in self._names if bare.endswith(ending) or unnumbered.endswith(ending)]
        return self._names[max(endings, key=len)] if endings else None

    def text(self, text: str) -> str:
        """Return *text* with every secret in it replaced; a text that is nothing but a number is left alone."""
        if not self._worth_a_look(text):
            return text
        if "=" in text:
            text = PARAMETER.sub(self._parameter, text)
        for kind, pattern in self._patterns.items():
            text = pattern.sub(replacement(kind), text)
        if self._numbers and len(text) > 9 and NINE_DIGITS.search(text):
            text = NUMBER.sub(_number, text)
        return text

    def _parameter(self, match: re.Match[str]) -> str:
        kind = self.kind(match[1])
        return match[0] if kind is None else f"{match[1]}={replacement(kind)}"


def _worth_a_look(text: str) -> object:
    return ("eyJ" in text or not PLAIN.fullmatch(text)) and WORTH_A_LOOK.search(text)


def _number(match: re.Match[str]) -> str:
    name, digits = match.groups()
    if (name is not None and _bare(name) in IDENTIFYING) or not is_bsn(digits):
        return match[0]
    return match[0].removesuffix(digits) + replacement("bsn")


def replacement(kind: str) -> str:
    """Return the text that stands for a redacted value of *kind*."""
    return f"[redacted: {kind}]"


def _bare(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()
