"""Environments, as wrong as they can be."""

import os

from hypothesis import strategies as st

VARIABLES = [
    *(
        prefix + name
        for prefix in ("OTEL_EXPORTER_OTLP_", "OTEL_EXPORTER_OTLP_LOGS_")
        for name in (
            "ENDPOINT",
            "PROTOCOL",
            "HEADERS",
            "COMPRESSION",
            "TIMEOUT",
            "INSECURE",
            "CERTIFICATE",
            "CLIENT_CERTIFICATE",
            "CLIENT_KEY",
        )
    ),
    *(f"OTEL_BLRP_{name}" for name in ("SCHEDULE_DELAY", "EXPORT_TIMEOUT", "MAX_QUEUE_SIZE", "MAX_EXPORT_BATCH_SIZE")),
    *(f"OTEL_{kind}ATTRIBUTE_{limit}_LIMIT" for kind in ("", "LOGRECORD_") for limit in ("COUNT", "VALUE_LENGTH")),
    *("OTEL_LOGS_EXPORTER", "OTEL_SDK_DISABLED"),
    *("http_proxy", "HTTPS_PROXY", "ALL_PROXY", "no_proxy"),
]
PARTS = [
    *(
        "http://",
        "https://",
        "file://",
        "file:",
        "grpc",
        "://",
        "collector",
        "localhost",
        "[::1]",
        "[",
        "]",
        "%00",
        "%e9",
    ),
    *(":4317", ":4318", ":0", ":99999", "/", "/v1/logs", "?", "#", "@", "user:pass@", "=", ",", " ", "a=1", "true"),
    *(
        "otlp",
        "none",
        "console",
        "gzip",
        "0",
        "-1",
        "1e400",
        "nan",
        "inf",
        "1_0",
        "\u0661",
        "9" * 5000,
        "\n",
        "\x7f",
        "\xe9",
    ),
]


def anything() -> st.SearchStrategy[dict[str, str]]:
    """Any bytes but NUL, as the operating system passes them; and what is nearly right."""
    bytes_ = st.binary(max_size=20).map(lambda value: os.fsdecode(value.replace(b"\0", b"")))
    nearly = st.lists(st.sampled_from(PARTS), max_size=6).map("".join)
    return st.dictionaries(st.sampled_from(VARIABLES), st.one_of(nearly, bytes_), max_size=6)
