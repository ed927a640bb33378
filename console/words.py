"""Help texts of the messages and their fields. Kept apart from the models, so that --help does not load them."""

from typing import NamedTuple


class MessageHelp(NamedTuple):
    """A message's line in the list of verbs, and example command lines."""

    summary: str
    examples: tuple[str, ...]


FACTS = {
    "contact-made": MessageHelp(
        "Record that an agent reached the customer. Keeps the promise of a first answer.",
        ('contact-made HL-1 --by li.na --note "prefers mornings"',),
    ),
    "evidence-received": MessageHelp(
        "Record evidence from the customer, such as photos. The case continues.",
        ("evidence-received HL-1 --evidence photo=s3://photos/HL-1.jpg --evidence batch_number=B-2026-11",),
    ),
    "customer-approved": MessageHelp(
        "Record that the customer accepts one option of an offer. Its steps begin.",
        ("customer-approved HL-1 --option refund --by li.na",),
    ),
    "customer-declined": MessageHelp(
        "Record that the customer declines an offer. An agent has to make another one.",
        ('customer-declined HL-1 --reason "wants the money back" --wish refund --by li.na',),
    ),
    "step-reported": MessageHelp(
        "Record what a partner or a crew reports about a step.",
        (
            "step-reported HL-1 --step s1 --state done --by warehouse",
            'step-reported HL-1 --step s2 --state failed --detail "the account is closed"',
        ),
    ),
    "satisfaction-reported": MessageHelp(
        "Record the customer's answer to the callback, from 1 (bad) to 5 (good).",
        ('satisfaction-reported HL-1 --score 5 --comment "quick and friendly"',),
    ),
    "complaint-withdrawn": MessageHelp(
        "Record that the customer withdraws the complaint. Possible until a step has begun.",
        ('complaint-withdrawn HL-1 --reason "found the parcel"',),
    ),
}

COMMANDS = {
    "assess": MessageHelp(
        "Enter what an agent found. Prints the offer, or what is still missing.",
        (
            "assess HL-1 --severity moderate --affected SLATE-9=1 --by li.na",
            'assess HL-1 --upheld --liable delivery --cause "dropped while unloading" --by li.na',
        ),
    ),
    "propose": MessageHelp(
        "Make an offer in place of the computed one. Beyond the limits it needs approval.",
        ("""propose HL-1 --by li --options '[{"key": "c", "remedies": [{"kind": "coupon", "amount": "9.00"}]}]'""",),
    ),
    "approve": MessageHelp(
        "Approve an offer that needs approval. Not for the person who proposed it.",
        ("approve HL-1 --by manager.chen",),
    ),
    "reject": MessageHelp(
        "Reject an offer that needs approval. Not for the person who proposed it.",
        ('reject HL-1 --by manager.chen --note "too much for a scratch"',),
    ),
    "declare-complex": MessageHelp(
        "Fresh food: promise a preliminary plan and a detailed result in place of the solution.",
        ('declare-complex HL-1 --reason "the laboratory needs two days" --by li.na',),
    ),
    "resolve-step": MessageHelp(
        "Decide about a blocked step: retry it, replace it by another offer, or waive it.",
        ('resolve-step HL-1 --step s1 --action retry --reason "the account is open again" --by li.na',),
    ),
    "assign": MessageHelp(
        "Assign the case to a team, a person, or both.",
        ("assign HL-1 --team quality --owner li.na",),
    ),
    "acknowledge-escalation": MessageHelp(
        "Take on an escalated promise. The next rung of its escalation is skipped.",
        ("acknowledge-escalation HL-1 --promise detailed_result --by team.lead.wu",),
    ),
    "mark-urgent": MessageHelp(
        "Mark the case as urgent: warnings come earlier, and it is first in every queue.",
        ('mark-urgent HL-1 --reason "the event is tomorrow" --by li.na',),
    ),
    "move-policy": MessageHelp(
        "Move the open case to the policy in force now. No clock is reset.",
        ('move-policy HL-1 --reason "new terms from December" --by manager.chen',),
    ),
    "note": MessageHelp(
        "Add a remark to the case's timeline.",
        ('note HL-1 --text "prefers mornings" --by li.na',),
    ),
}

MESSAGES = {**FACTS, **COMMANDS}

COMMON = {
    "by": "Your name.",
    "occurred_at": "When it happened, such as 2026-11-22T09:00:00+08:00. Promises use this time. Default: now.",
    "message_id": "Your id for this message. A message with the same id is applied only once.",
}
"""Fields of every message."""

FIELDS = COMMON | {
    "action": "What to do with the step. replace waives it and asks an agent for another offer.",
    "dependents": "What to do with steps that depend on one that is waived or replaced. Default: waive.",
    "affected": "An affected item and its quantity.",
    "approval": "The id of the offer to decide on. Default: the one that needs approval.",
    "cause": "The cause, in a few words.",
    "comment": "What the customer said about it.",
    "days_late": "Whole days from the promised date to the actual one.",
    "detail": "More about it, such as a reference or why it failed.",
    "evidence": "The kind of evidence, and where it is stored.",
    "finding": 'What was found at the visit, as a JSON object such as {"severity": "severe"}.',
    "goods_value": "The value of the goods according to documents, such as 320.00.",
    "hours_late": "Hours from the promised time to the actual one.",
    "key": "The idempotency key sent to the partner. A report for an earlier attempt is then refused.",
    "liable": "Who is liable.",
    "lost": "Whether the goods are lost.",
    "note": "A remark for the timeline.",
    "offer": "The id of the offer, such as o1. Default: the current one.",
    "option": "The key of the chosen option. Default: the only one.",
    "options": "The options, as a JSON list of objects with a key and remedies.",
    "owner": "The person who is responsible for the case.",
    "plan": "The plan, as the customer will read it.",
    "promise": "The name of the promise, as starter.py show prints it.",
    "reason": "The reason.",
    "score": "From 1 (bad) to 5 (good).",
    "sealed": "Whether the goods are still sealed.",
    "severity": "How severe the problem is.",
    "state": "The state that is reported.",
    "step": "The id of the step, such as s1, as starter.py show prints it.",
    "team": "The team that is responsible for the case.",
    "text": "The remark.",
    "upheld": "Whether the complaint is justified.",
    "version": "Refuse unless this version of the policy is in force.",
    "wish": "What the customer wants instead.",
}
"""A sentence for each field of a message."""
