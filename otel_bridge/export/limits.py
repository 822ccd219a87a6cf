"""OpenTelemetry's limits of a record's attributes, where the user has set them."""

from collections.abc import Mapping
from itertools import islice

from otel_bridge.bridge.values import AnyValue
from otel_bridge.export.environment import AttributeLimits
from otel_bridge.export.template import UID


def within(limits: AttributeLimits, attributes: Mapping[str, AnyValue]) -> tuple[dict[str, AnyValue], int]:
    """
    Apply limits: https://opentelemetry.io/docs/specs/otel/common/#attribute-limits.

    Args:
        limits: How many attributes are kept, the first ones, and of how many characters their texts.
        attributes: By name; `log.record.uid` stays whole, because the stores know a record again by it.

    Returns:
        What is kept, and how many attributes were left out.
    """
    kept = dict(islice(attributes.items(), limits.count))
    if (length := limits.value_length) is not None:
        kept = {name: value if name == UID else _shortened(value, length) for name, value in kept.items()}
    return kept, len(attributes) - len(kept)


def _shortened(value: AnyValue, length: int) -> AnyValue:
    if isinstance(value, str | bytes):
        return value[:length]
    if isinstance(value, dict):
        return {key: _shortened(item, length) for key, item in value.items()}
    if isinstance(value, list):
        return [_shortened(item, length) for item in value]
    return value
