"""What the help says about messages and their fields. Apart from the models, so that --help does not load them."""

from typing import NamedTuple


class Words(NamedTuple):
    """A message's line in the list of verbs, and command lines to copy."""

    summary: str
    examples: tuple[str, ...]


FACTS = {
    "contact-made": Words(
        "An agent reached the customer: the promise of a first answer is kept.",
        ('contact-made HL-1 --by li.na --note "prefers mornings"',),
    ),
    "evidence-received": Words(
        "The customer sent what was asked for; the case goes on.",
        ("evidence-received HL-1 --evidence photo=s3://photos/HL-1.jpg --evidence batch_number=B-2026-11",),
    ),
    "customer-approved": Words(
        "The customer says yes to one option of an offer; its steps begin.",
        ("customer-approved HL-1 --option refund --by li.na",),
    ),
    "customer-declined": Words(
        "The customer says no to an offer; an agent has to make another one.",
        ('customer-declined HL-1 --reason "wants the money back" --wish refund --by li.na',),
    ),
    "step-reported": Words(
        "A partner or a crew reports what became of a step.",
        (
            "step-reported HL-1 --step s1 --state done --by warehouse",
            'step-reported HL-1 --step s2 --state failed --detail "the account is closed"',
        ),
    ),
    "satisfaction-reported": Words(
        "The customer's answer to the callback, from 1 (bad) to 5 (good).",
        ('satisfaction-reported HL-1 --score 5 --comment "quick and friendly"',),
    ),
    "complaint-withdrawn": Words(
        "The customer takes the complaint back; possible until a step has begun.",
        ('complaint-withdrawn HL-1 --reason "found the parcel"',),
    ),
}

COMMANDS = {
    "assess": Words(
        "Enter what an agent has established; the answer is the offer, or what is still missing.",
        (
            "assess HL-1 --severity moderate --affected SLATE-9=1 --by li.na",
            'assess HL-1 --upheld --liable delivery --cause "dropped while unloading" --by li.na',
        ),
    ),
    "propose": Words(
        "An agent's own offer, in place of the computed one; beyond the limits it waits for approval.",
        ("""propose HL-1 --by li --options '[{"key": "c", "remedies": [{"kind": "coupon", "amount": "9.00"}]}]'""",),
    ),
    "approve": Words(
        "Say yes to an offer that waits for approval; never by the person who asked.",
        ("approve HL-1 --by manager.chen",),
    ),
    "reject": Words(
        "Say no to an offer that waits for approval; never by the person who asked.",
        ('reject HL-1 --by manager.chen --note "too much for a scratch"',),
    ),
    "declare-complex": Words(
        "Fresh food: promise a preliminary plan and a detailed result in place of the solution.",
        ('declare-complex HL-1 --reason "the laboratory needs two days" --by li.na',),
    ),
    "resolve-step": Words(
        "Decide about a blocked step: try it again, replace it by another offer, or waive it.",
        ('resolve-step HL-1 --step s1 --action retry --reason "the account is open again" --by li.na',),
    ),
    "assign": Words(
        "Give the case to a team, a person, or both.",
        ("assign HL-1 --team quality --owner li.na",),
    ),
    "acknowledge-escalation": Words(
        "Somebody takes care of a promise: the next rung of its escalation is left out.",
        ("acknowledge-escalation HL-1 --promise detailed_result --by team.lead.wu",),
    ),
    "mark-urgent": Words(
        "Make the case urgent from now on: earlier warnings, and first in every queue.",
        ('mark-urgent HL-1 --reason "the event is tomorrow" --by li.na',),
    ),
    "move-policy": Words(
        "Move the open case to the policy that is in force now; the time consumed stays.",
        ('move-policy HL-1 --reason "new terms from December" --by manager.chen',),
    ),
    "note": Words(
        "Write a remark on the case's timeline.",
        ('note HL-1 --text "prefers mornings" --by li.na',),
    ),
}

MESSAGES = {**FACTS, **COMMANDS}

COMMON = {
    "by": "Who says so.",
    "occurred_at": "When it happened, such as 2026-11-22T09:00:00+08:00; promises are judged by it. Default: now.",
    "message_id": "An id of yours; a message with the same id is applied once.",
}
"""Fields of every message."""

FIELDS = COMMON | {
    "action": "What to do with the step; replace waives it and asks an agent for another offer.",
    "dependents": "What becomes of the steps that wait for one that is waived or replaced. Default: waive.",
    "affected": "An item that is affected, and how many of it.",
    "approval": "The id of the offer that waits. Default: the one that waits.",
    "cause": "What caused it, in a few words.",
    "comment": "What the customer said about it.",
    "days_late": "Whole days from the promised date to the actual one.",
    "detail": "More about it, such as a reference or why it failed.",
    "evidence": "What came, and where it is kept.",
    "finding": 'What was found at the visit, as a JSON object such as {"severity": "severe"}.',
    "goods_value": "What the goods were worth, as documents prove, such as 320.00.",
    "hours_late": "Hours from the promised time to the actual one.",
    "key": "The key that the partner was asked under; a report about an earlier try is then refused.",
    "liable": "Who is liable.",
    "lost": "Whether the goods are lost.",
    "note": "A remark for the timeline.",
    "offer": "The id of the offer, such as o1. Default: the current one.",
    "option": "The key of the chosen option. Default: the only one.",
    "options": "The options, as a JSON list of objects with a key and remedies.",
    "owner": "The name of the person who has the case.",
    "plan": "What is planned, for the customer to read.",
    "promise": "The name of the promise, as starter.py show prints it.",
    "reason": "Why.",
    "score": "From 1 (bad) to 5 (good).",
    "sealed": "Whether the goods are still sealed.",
    "severity": "How bad it is.",
    "state": "What became of it.",
    "step": "The id of the step, such as s1, as starter.py show prints it.",
    "team": "The team that has the case.",
    "text": "The remark.",
    "upheld": "Whether the complaint is justified.",
    "version": "Only if this version of the policy is in force.",
    "wish": "What the customer wants instead.",
}
"""A sentence for each field of a message."""
