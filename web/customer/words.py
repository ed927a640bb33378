"""The sentences of the customer's page, by what the snapshot says. English; the catalogue translates them."""

from collections.abc import Collection, Mapping

from cases.vocabulary import Outcome, PromiseName, Status, StepState
from web.pages.catalogue import marked

STAGES = (marked("We have it"), marked("Checking"), marked("Your choice"), marked("Carrying out"), marked("Done"))
STAGE_OF: Mapping[str, int] = {
    Status.RECEIVED: 1,
    Status.ASSESSING: 1,
    Status.AWAITING_EVIDENCE: 1,
    Status.AWAITING_APPROVAL: 1,
    Status.OFFERING: 2,
    Status.AWAITING_CONSENT: 2,
    Status.EXECUTING: 3,
    Status.FOLLOWING_UP: 4,
    Status.CLOSED: 5,
}
RESULTS: Collection[str] = frozenset(
    {PromiseName.DETAILED_RESULT, PromiseName.SOLUTION, PromiseName.RETURN_DECISION, PromiseName.CLAIM_DECISION}
)
HEADLINES: Mapping[str, str] = {
    Status.AWAITING_EVIDENCE: marked("We need something from you"),
    Status.OFFERING: marked("We have an offer for you"),
    Status.AWAITING_CONSENT: marked("We have an offer for you"),
    Status.EXECUTING: marked("We are putting it right"),
    Status.FOLLOWING_UP: marked("Done. Is everything all right?"),
    Status.CLOSED: marked("Your case is closed"),
}
ENDINGS: Mapping[str, str] = {
    Outcome.SATISFIED: marked("Your case is settled, and we are glad that you are satisfied."),
    Outcome.NEUTRAL: marked("Your case is settled. Thank you for your rating; we will work to improve."),
    Outcome.UNREACHABLE: marked("Your case is settled. Everything that we agreed is done."),
    Outcome.NO_RESPONSE: marked("We had no reply from you. If you would like us to continue, reply to our message."),
    Outcome.WITHDRAWN: marked("You withdrew your complaint. Please contact us if you need help again."),
    Outcome.INFORMED: marked("We have explained the matter to you. Thank you for your understanding."),
    Outcome.REJECTED: marked(
        "We found no grounds for a refund or compensation. If you have new information, reply to our message."
    ),
}
EVENTS: Mapping[str, str] = {
    "received": marked("We received your message."),
    "acknowledged": marked("We confirmed your message."),
    "answered": marked("We answered your call."),
    "contact": marked("We talked to you."),
    "offered": marked("We made you an offer."),
    "agreed": marked("You accepted our offer."),
    "declined": marked("You declined our offer."),
    "reminded": marked("We reminded you of our offer."),
    "satisfaction": marked("You rated our service."),
    "withdrawn": marked("You withdrew your complaint."),
    "closed": marked("We closed the case."),
}
ASKED: Mapping[str, str] = {
    "evidence asked for": marked("We asked you for {things}."),
    "evidence asked for again": marked("We reminded you of {things}."),
    "evidence": marked("You sent {things}."),
}
STEP_EVENTS: Collection[str] = frozenset({"step dispatched", "step done"})
STEP_KINDS: Mapping[str, str] = {StepState.DONE: "kept", StepState.WAIVED: "void", StepState.BLOCKED: "warned"}
"""How the state of a step is drawn (components.html); every other one is `calm`."""
