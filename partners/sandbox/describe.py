"""The texts of the published interface. `python -m partners.sandbox.openapi` writes it."""

from typing import Any

from cases.look_ups import LookUpName
from cases.partner_calls import Delivery, Receipt
from partners.wire import PROBLEM_JSON, STEP_REPORTED

_INTRODUCTION = """\
The HTTP interface that a partner (payments, warehouse, carrier, installer, message gateway, call centre) has to serve
so that the after-sales case engine can work with it.

**Keys.** Every POST has the header `Idempotency-Key`. It equals `key` in the body: `case/cycle/offer/step` for a step.
The engine sends the same key again after a crash or a time-out. For the same key with the same content, return the
first receipt again, with the header `Idempotent-Replayed: true`, and do nothing. For the same key with different
content, return 409 of type `urn:after-sales:key-reused`: something was done under this key before. Remember keys for at
least 24 hours. Look-ups of a step by its key must work for at least 90 days.

**Lost answers.** If an answer is lost, the engine does not know whether money moved. It asks
`GET /{partner}/steps?key=…`. Only a 404 of type `urn:after-sales:not-known` allows it to send the step again. Return it
only if the step was never carried out and is not being carried out.

**New keys.** After a refusal an agent can have a step tried again under another key, `…/2`. The engine looks up the
earlier keys first. If something was done under one of them, that is the outcome, and nothing is sent. If you cannot be
reached, the engine waits.

**Errors** are `application/problem+json` (RFC 9457). `detail` is a sentence for people and is shown to agents. The
engine handles the answer to a step as follows:

| status | meaning | then |
| --- | --- | --- |
| 400, 402, 422 with problem details | refused: nothing was done | an agent decides |
| 404 of type `urn:after-sales:not-known` | unknown order: nothing was done | an agent decides |
| 401, 403, 404 of any other type | the request did not reach the partner's system | sent again under the same key |
| 429, 503 | nothing was done, retry later (`Retry-After`, at most an hour) | sent again under the same key |
| 409 of type `urn:after-sales:key-reused` | something was done under this key | looked up by key; staff are notified |
| 409 of any other type, 408, 423, 425, any other 4xx | it may have been done, or is being done | looked up by key |
| any other 5xx, no answer, an invalid answer | it may have been done | looked up by key |

400, 402 or 422 without problem details may come from a gateway. It counts as "it may have been done".

Look-ups and messages can be repeated without harm. For them 408, 409, 423 and 425 mean "retry later", and any other 4xx
is final. A step is looked up by its key until you return 200, or 404 of type `urn:after-sales:not-known`. Redirects are
not followed. Answers over 256 KiB are not read.

**Contradictions.** If a report and the answer to the call contradict each other, the engine looks the step up by its
key. Only `done` settles the contradiction; otherwise an agent decides. An agent also decides if a step was `done` and
is reported as `failed` later (account closed, returned to sender).

**Compatibility.** New versions only add fields. Ignore fields that you do not know.
"""

_REPORTING = """\
A partner's report on a step. It is not sent over this HTTP interface. It is the Temporal signal `step-reported` to the
workflow `case-<case_id>`, or to the workflow in `reply_to` of the step, in plain JSON, from any Temporal client in any
language:

    temporal workflow signal --workflow-id case-HL-1 --name step-reported \\
      --input '{"step": "replacement", "key": "HL-1/1/1/replacement", "state": "done",
                "message_id": "W-77/done", "by": "warehouse"}'

Report every step that you answered with `accepted`: `dispatched` when it is on its way (the goods have left, the crew
is driving), then `done` or `failed`. Include the `key` of the step: after a refusal a step may be tried again under
another key, and a late report on the first must not settle the second. A report may arrive before your answer to the
call. Send it again until Temporal accepts it: the same `message_id` is applied only once. Put what an inspection or a
search established into `finding`.

Also report `failed` if something that was `done` is taken back (account closed, returned to sender). If the case has
closed by then, Temporal answers that there is no such workflow. Notify the shop's staff in that case.
"""

_DESCRIPTIONS = {
    400: "The request is invalid. Nothing was done",
    401: "The token is missing or invalid. Nothing was done",
    402: "Refused, nothing was done: no funds, card closed",
    404: "Unknown: `type` is `urn:after-sales:not-known`",
    409: (
        "It may have been done, so the step is looked up by its key. Type `urn:after-sales:key-reused`: the key was "
        "used before with different content. Any other type: the step is being carried out"
    ),
    422: "Refused, nothing was done: out of stock, no crew, invalid content",
    429: "Too many requests. Nothing was done (`Retry-After`)",
    503: "Not available. Nothing was done (`Retry-After`)",
}


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    return {status: {"description": _DESCRIPTIONS[status], "content": content} for status in statuses}


def _answer(description: str, example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": description, "content": {"application/json": {"example": example}}}}


def _look_up(operation: str, summary: str, example: dict[str, Any]) -> dict[str, Any]:
    return {
        "operation_id": operation,
        "summary": summary,
        "description": "Called before anything is offered. Return 404 of type `urn:after-sales:not-known` if unknown.",
        "tags": ["look-ups"],
        "responses": _answer("The answer", example) | _problems(401, 404, 422, 429, 503),
    }


ABOUT: dict[str, Any] = {
    "title": "Partners of the after-sales case engine",
    "version": "1.0.0",
    "description": _INTRODUCTION,
    "openapi_tags": [
        {"name": "steps", "description": "Remedies to carry out: money, goods, visits."},
        {"name": "look-ups", "description": "Facts about an order, read before anything is offered."},
        {"name": "messages", "description": "Notifications to customers and staff, delivered once per key."},
        {"name": STEP_REPORTED, "description": _REPORTING},
    ],
}

_REFUND_RECEIPT = {"reference": "REF-000042", "state": "done"}
_GOODS_RECEIPT = {"reference": "WAR-000043", "state": "accepted"}

CARRY_OUT: dict[str, Any] = {
    "operation_id": "carryOut",
    "summary": "Carry out a step, once",
    "description": (
        "Answer `done` for money. Answer `accepted` for steps that take longer, and report on them afterwards "
        "(see *step-reported*). `amount` is set for money, `items` for goods, `address` for visits."
    ),
    "tags": ["steps"],
    "response_model": Receipt,
    "responses": _answer("It is done", _REFUND_RECEIPT)
    | {
        202: {
            "model": Receipt,
            "description": "It is accepted; its progress will be reported",
            "content": {"application/json": {"example": _GOODS_RECEIPT}},
        }
    }
    | _problems(400, 401, 402, 404, 409, 422, 429, 503),
}

FIND: dict[str, Any] = {
    "operation_id": "findStep",
    "summary": "Look a step up by its key",
    "description": "Must also work for expired keys. Called after an answer was lost, before anything is sent again.",
    "tags": ["steps"],
    "response_model": Receipt,
    "responses": _answer("The step's current state", _REFUND_RECEIPT) | _problems(401, 404, 422, 429, 503),
}

LOOK_UPS: dict[str, dict[str, Any]] = {
    LookUpName.TRAIL: _look_up(
        "findTrail",
        "Track the shipment of an order",
        {
            "state": "in_transit",
            "events": [{"at": "2026-11-18T21:40:00+08:00", "place": "Xiamen", "what": "left the hub"}],
            "promised_at": "2026-11-20T18:00:00+08:00",
            "expected_at": "2026-11-24T18:00:00+08:00",
            "cause": "road closed",
            "carrier": "Minjiang Freight",
        },
    ),
    LookUpName.DISPATCH: _look_up(
        "findDispatch",
        "Find out how an order left the warehouse",
        {"warehouse": "WH-1", "dispatched_at": "2026-11-18T09:00:00+08:00", "condition": "packed and sealed"},
    ),
    LookUpName.INSTALLATION: _look_up(
        "findInstallation",
        "Find the installation of an order",
        {
            "installer": "Crew 7",
            "promised_at": "2026-11-20T14:00:00+08:00",
            "installed_at": None,
            "cause": "crew was ill",
        },
    ),
}


def _delivered(operation: str, summary: str, description: str, channel: str) -> dict[str, Any]:
    example = {"reference": "8841", "channel": channel, "at": "2026-11-22T09:00:02+08:00"}
    return {
        "operation_id": operation,
        "summary": summary,
        "description": description,
        "tags": ["messages"],
        "response_model": Delivery,
        "responses": _answer("Handed over", example) | _problems(401, 422, 429, 503),
    }


MESSAGE = _delivered(
    "deliverMessage",
    "Deliver a message, once",
    "Deliver each key once, even if the text differs: it may have been rendered again. Send the text as it is.",
    "sms",
)
CALLBACK = _delivered(
    "askCustomer",
    "Ask a customer whether they are satisfied",
    "By phone or questionnaire. Send the answer (1 to 5) to the case as the Temporal signal `satisfaction-reported`.",
    "phone",
)
REPORT: dict[str, Any] = {
    "operation_id": "stepReported",
    "summary": "Report on a step (a Temporal signal, not an HTTP call)",
    "description": _REPORTING,
    "tags": [STEP_REPORTED],
    "status_code": 204,
    "responses": {"default": {"description": "An error of Temporal: send it again"}},
}

_CONTACT = {"name": "Wang Li", "phone": "+86 130 0000 0000", "locale": "zh-CN"}
_STEP = {"case_id": "HL-1", "order_id": "SO-88121", "currency": "CNY", "contact": _CONTACT}
COMMANDS: Any = {
    "refund": {
        "summary": "A payment, to refunds",
        "value": {**_STEP, "key": "HL-1/1/1/refund", "step": "refund", "kind": "refund", "amount": "640.00"},
    },
    "replacement": {
        "summary": "Goods, to the warehouse",
        "value": {
            **_STEP,
            "key": "HL-1/1/1/replacement",
            "step": "replacement",
            "kind": "replacement",
            "items": [{"sku": "SLATE-9", "quantity": 1}],
        },
    },
    "rectification": {
        "summary": "A visit, to installation",
        "value": {
            **_STEP,
            "key": "HL-1/1/1/rectification",
            "step": "rectification",
            "kind": "rectification",
            "address": "12 Lake Road, Xiamen",
        },
    },
}
MESSAGES: Any = {
    "customer": {
        "summary": "To a customer",
        "value": {
            "key": "HL-1/1/acknowledge",
            "case_id": "HL-1",
            "event": "acknowledge",
            "audience": "customer",
            "channel": "sms",
            "to": {"name": "Wang Li", "phone": "+86 130 0000 0000"},
            "locale": "zh-CN",
            "subject": "",
            "body": "您的投诉 HL-1 已受理。",
        },
    },
    "staff": {
        "summary": "To a role",
        "value": {
            "key": "HL-1/1/detailed_result/1",
            "case_id": "HL-1",
            "event": "escalation",
            "audience": "staff",
            "to": {"role": "team_lead", "team": "logistics"},
            "locale": "en",
            "subject": "HL-1 is about to break a promise",
            "body": "detailed_result is due at 09:00.",
        },
    },
}
