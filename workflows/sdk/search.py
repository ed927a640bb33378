"""The search attributes of cases as keys of Temporal's SDK. Workflows set them; workers register them on the server."""

from collections.abc import Callable
from typing import Any

from temporalio.common import SearchAttributeKey

from cases.views.search_attributes import OF_CASES, AttributeType

_KEY_OF: dict[AttributeType, Callable[[str], SearchAttributeKey[Any]]] = {
    AttributeType.KEYWORD: SearchAttributeKey.for_keyword,
    AttributeType.KEYWORD_LIST: SearchAttributeKey.for_keyword_list,
    AttributeType.INT: SearchAttributeKey.for_int,
    AttributeType.DATETIME: SearchAttributeKey.for_datetime,
    AttributeType.BOOL: SearchAttributeKey.for_bool,
}

KEYS = {attribute.name: _KEY_OF[attribute.type](attribute.name) for attribute in OF_CASES}
"""The keys by name."""
