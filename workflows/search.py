"""The search attributes of the contract, and their types; no personal data, ever."""

from typing import Any

from temporalio.common import SearchAttributeKey

KEYS: dict[str, SearchAttributeKey[Any]] = {
    **{
        name: SearchAttributeKey.for_keyword(name)
        for name in ("CaseLine", "CaseTopic", "CaseStatus", "CaseTeam", "CaseOutcome", "CaseOrder")
    },
    "BrokenPromises": SearchAttributeKey.for_keyword_list("BrokenPromises"),
    "EscalationRung": SearchAttributeKey.for_int("EscalationRung"),
    "NextDueAt": SearchAttributeKey.for_datetime("NextDueAt"),
    "Urgent": SearchAttributeKey.for_bool("Urgent"),
}
