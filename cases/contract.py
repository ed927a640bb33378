"""The names that other programs use: workflow types, ids, queries and signals (contract, *Names*)."""

TASK_QUEUE = "after-sales"


CASE_WORKFLOW = "AfterSalesCase"


CLAIM_WORKFLOW = "CarrierClaim"


RECONCILE_WORKFLOW = "ReconcileCases"
"""Compares our database with the cases that Temporal has. Started by a schedule, and by `starter.py reconcile`."""


CASE_QUERY = "case"


PREVIEW_QUERY = "policy-preview"


PROJECTION_QUERY = "projection"
"""For reconciling our own database: the row that the case would write now. Not part of the contract."""


ASK_AGAIN = "something has just reached the case and no worker has taken it in yet: ask again"
"""The answer to a query that came too soon."""


INVALID_COMPLAINT = "InvalidComplaint"
"""The failure of a workflow whose complaint was refused: there is no case, and its id is free (S34)."""


CASE_ID_TAKEN = "CaseIdTaken"
"""The failure of a workflow whose case id an earlier case has."""


MOVE_POLICY = "move-policy"


CLAIM_SETTLED = "claim-settled"


COMPLAINT_LINKED = "complaint-linked"
"""Between cases: another complaint came about the same order and topic (G12)."""


CASE_CLOSED = "case-closed"
"""Between cases: the case that another one was merged into has closed, or could not take it in (G12)."""


MAX_INPUT_BYTES = 64 * 1024
"""Largest complaint or message that is taken in, in bytes of JSON."""


def workflow_id(case_id: str) -> str:
    """The workflow that handles a case; one per complaint, ever (contract, *Names*)."""
    return f"case-{case_id}"


def claim_workflow_id(case_id: str) -> str:
    """The workflow that pursues the carrier on behalf of a case (B16)."""
    return f"claim-{case_id}"
