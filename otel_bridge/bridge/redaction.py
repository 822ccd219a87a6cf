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

HINTS: Final[Mapping[str, Callable[[str], bool]]] = {
    "credentials": lambda text: "@" in text and "://" in text,
    "jwt": lambda text: "eyJ" in text,
    "authorization": lambda text: " " in text and _names_a_scheme(text.lower()),
}
"""What a text has that one of these patterns matches in."""

PARAMETER: Final = re.compile(
    r"(?<![^\s?&;,(\[{\"'])([\w.%\[\]-]+)=(\[redacted: [^\]]*\]|\"[^\"]*\"|'[^']*'|[^&;#\s\"'<>]*)"
)
"""A parameter of a query, or of a text that is written like one, such as the text of an object."""
NUMBER: Final = re.compile(
    r"(?:(?<!\w)([^\W\d]\w*)['\"]?\s?[=:]\s?['\"]?)?(?:(?<![\w.-])|(?<=%[0-9A-Fa-f]{2}))(\d{9})(?![\w-]|\.\d)"
)
"""Nine digits that stand alone, with the name that they are the value of where one precedes them."""
NINE_DIGITS: Final = re.compile(r"\d{9}")
SEPARATOR: Final = "\n\n"
"""No default pattern reaches across it, and each matches beside it as at the end of a text."""
PLAIN: Final = re.compile(r"[\w.-]*")
"""Names, UUIDs and the like, of which nothing but a JSON web token is a secret: one fast look for most texts."""
DIGITS: Final = bytes(48 if 48 <= code < 58 else 32 for code in range(256))
"""Translates every digit to `0` and every other byte to a space."""
PARAMETER_NAMES: Final = bytes(
    code if code >= 128 or chr(code).isalnum() or chr(code) in "_.%[]-=" else 32 for code in range(256)
)
"""Translates every byte that stands in no name of a parameter to a space."""
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
        own = {kind: re.compile(pattern) for kind, pattern in (patterns or {}).items()}
        default = {kind: pattern for kind, pattern in CREDENTIALS.items() if kind not in without and kind not in own}
        self._patterns = [
            *((HINTS[kind], pattern, replacement(kind)) for kind, pattern in default.items()),
            *((bool, pattern, replacement(kind)) for kind, pattern in own.items()),
        ]
        self._has_own_patterns = bool(own)
        self._numbers = "bsn" not in without
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
        if self.are_plain((text,)):
            return text
        # A look for a piece of text costs a hundredth of what a pattern costs, and is enough for most texts.
        if "=" in text and self._has_secret_parameter(text):
            text = PARAMETER.sub(self._parameter, text)
        for is_possible, pattern, replaced in self._patterns:
            if is_possible(text):
                text = pattern.sub(replaced, text)
        if self._numbers and len(text) > 9 and _may_hold_a_bsn(text):
            text = NUMBER.sub(_number, text)
        return text

    def texts(self, texts: list[str]) -> list[str]:
        """Return *texts* with every secret in them replaced; that same list where there is none."""
        suspects = [text for text in texts if not self.are_plain((text,))]
        # Measured, one look at all of them costs little more than a look at one.
        joined = SEPARATOR.join(suspects)
        if not suspects or (not self._has_own_patterns and self.text(joined) == joined):
            return texts
        return [self.text(text) for text in texts]

    def _has_secret_parameter(self, text: str) -> bool:
        parts = text.encode("utf-8", "replace").translate(PARAMETER_NAMES).split(b"=")
        return any(self.kind(part.rpartition(b" ")[2].decode("utf-8", "replace")) for part in parts[:-1])

    def _parameter(self, match: re.Match[str]) -> str:
        kind = self.kind(match[1])
        return match[0] if kind is None else f"{match[1]}={replacement(kind)}"


def _names_a_scheme(text: str) -> bool:
    return "bearer " in text or "basic " in text or "token " in text


def _may_hold_a_bsn(text: str) -> bool:
    """Tell whether there are nine digits and no more; behind what is percent-encoded there may be more."""
    if not text.isascii():
        return NINE_DIGITS.search(text) is not None
    digits = b" %b " % text.encode().translate(DIGITS)
    return b" 000000000 " in digits or ("%" in text and b"000000000" in digits)


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
