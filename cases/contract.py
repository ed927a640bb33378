"""The names that other programs use: workflow types, ids, queries and signals (contract, *Names*)."""

TASK_QUEUE = "after-sales"
"""Cases of every line can be started here."""


CASE_WORKFLOW = "AfterSalesCase"


CLAIM_WORKFLOW = "CarrierClaim"


RECONCILE_WORKFLOW = "ReconcileCases"
"""Compares our database with the cases that Temporal has. Started by a schedule, and by `starter.py reconcile`."""


REVIEW_WORKFLOW = "ServiceReview"
"""Makes a periodic review (G13). Started by schedules."""


DELIVER_WEBHOOKS = "deliver-webhooks"
"""The activity that sends events to one webhook. It belongs to no workflow."""


MEASURE_WORKFLOW = "ImprovementMeasure"
"""Pursues an improvement measure that a person has adopted (G13)."""


MEASURE_QUERY = "measure"


UNKNOWN_MEASURE = "UnknownMeasure"
"""The failure type of the workflow of a measure that no review has proposed."""


LATER_CALL_WORKFLOW = "LaterCall"
"""Asks an agent, some time after a case has closed, to call the customer (G13)."""


LATER_CALL_QUERY = "later-call"


CASE_QUERY = "case"


PREVIEW_QUERY = "policy-preview"


PROJECTION_QUERY = "projection"
"""For reconciling our own database: the row that the case would write now. Not part of the contract."""


ASK_AGAIN = "something has just reached the case and no worker has taken it in yet: ask again"
"""The error of a query that arrives before a worker has processed what the case has just received."""


INVALID_COMPLAINT = "InvalidComplaint"
"""The failure type of a workflow whose complaint was refused. No case exists, and its id can be used again (S34)."""


CASE_ID_TAKEN = "CaseIdTaken"
"""The failure type of a workflow whose case id is already taken by an earlier case."""


MOVE_POLICY = "move-policy"


CLAIM_SETTLED = "claim-settled"


COMPLAINT_LINKED = "complaint-linked"
"""Sent between cases: another complaint about the same order and topic has arrived (G12)."""


CASE_CLOSED = "case-closed"
"""Sent between cases: the case that this one was merged into has closed, or could not accept it (G12)."""


MAX_INPUT_BYTES = 64 * 1024
"""Maximum size of a complaint or message, in bytes of JSON."""


def workflow_id(case_id: str) -> str:
    """Return the id of the workflow that handles a case. Each complaint has exactly one (contract, *Names*)."""
    return f"case-{case_id}"


def line_queue(line: str) -> str:
    """Return the task queue of the workers that serve only some lines. Cases of this line can be started here too."""
    return f"{TASK_QUEUE}.{line}"


def partner_queue(queue: str, partner: str) -> str:
    """Return the task queue of calls to a partner by cases on `queue`. Lines share it, as they share the partner."""
    return f"{queue.partition('.')[0]}:{partner}"


def claim_workflow_id(case_id: str) -> str:
    """Return the id of the workflow that pursues a claim against the carrier for a case (B16)."""
    return f"claim-{case_id}"


def later_call_workflow_id(case_id: str) -> str:
    """Return the id of the workflow of the later call about a case (G13)."""
    return f"later-call-{case_id}"


def measure_workflow_id(measure_id: str) -> str:
    """Return the id of the workflow that pursues an improvement measure (G13)."""
    return f"measure-{measure_id}"
