"""The words of the published interface; `python -m partners.sandbox.openapi` publishes them."""

from typing import Any

from cases.look_ups import LookUpName
from cases.partner_calls import Delivery, Receipt
from partners.wire import PROBLEM_JSON, STEP_REPORTED

_INTRODUCTION = """\
What a partner (payments, warehouse, carrier, installer, message gateway, call centre) has to answer so that the
after-sales case engine can work with it.

**Keys.** Every POST carries `Idempotency-Key`, the same as `key` in its body: `case/cycle/offer/step` for a step. The
engine sends the same key again after a crash or a time-out. The same key with the same content gets the first receipt
again, with the header `Idempotent-Replayed: true`, and nothing is done twice. The same key with another content is a
409 of type `urn:after-sales:key-reused`: something was done under it before. How long keys are remembered is the
partner's affair (24 hours at least); looking a step up by its key works for as long as the engine may ask, 90 days at
least.

**When an answer is lost** the engine does not know whether money moved. It asks `GET /{partner}/steps?key=…`, and only
a 404 of type `urn:after-sales:not-known` lets it send the command again: answer that only when the command was never
carried out and is not being carried out.

**Before a new key.** After a refusal a person may have a step tried again under another key, `…/2`. The engine asks for
the earlier keys first. What was done under one of them is the outcome, and nothing is sent; while you cannot be asked,
the engine waits.

**Errors** are `application/problem+json` (RFC 9457); `detail` is a sentence for people and is shown to agents. What
the answer to a step means to the engine:

| status | means | then |
| --- | --- | --- |
| 400, 402, 422 with problem details | refused: nothing was done | a person decides |
| 404 of type `urn:after-sales:not-known` | you know no such order: nothing was done | a person decides |
| 401, 403, 404 of any other type | the request reached nobody who could act | sent again under the same key |
| 429, 503 | nothing was done, come back later (`Retry-After`, at most an hour) | sent again under the same key |
| 409 of type `urn:after-sales:key-reused` | something was done under this key | looked up by key; staff are notified |
| 409 of any other type, 408, 423, 425, any other 4xx | it may have been done, or is being done | looked up by key |
| any other 5xx, no answer, an answer that makes no sense | it may have been done | looked up by key |

400, 402 or 422 without problem details may come from a gateway, and counts as "it may have been done". For look-ups and
messages, which do no harm when they are repeated, 408, 409, 423 and 425 mean "come back later", any other 4xx is
final, and so are 400 and 422; a step that is looked up by its key is looked up until you answer 200, or 404 of type
`urn:after-sales:not-known`. Redirects are not followed; answers over 256 KiB are not read.

**Contradictions.** Where a report and the answer to the call say opposite things of one step, the engine looks it up by
key; only `done` settles that, and anything else goes to a person. A step that was `done` and is reported as `failed`
later (account closed, returned to sender) goes to a person as well.

**Compatibility.** Fields are only ever added, and none that you do not know may be taken for a fault.
"""

_REPORTING = """\
What a partner tells the engine of its own accord. It does not go over this HTTP interface: it is the Temporal signal
`step-reported` to the workflow `case-<case_id>`, or to the one that `reply_to` of the command names, in plain JSON,
from any Temporal client in any language:

    temporal workflow signal --workflow-id case-HL-1 --name step-reported \\
      --input '{"step": "replacement", "key": "HL-1/1/1/replacement", "state": "done",
                "message_id": "W-77/done", "by": "warehouse"}'

Report every step that was answered with `accepted`: `dispatched` when it is on its way (goods have left, a crew is
driving), then `done` or `failed`, with the `key` of the command: after a final no a step may be tried again under
another one, and a late word on the first must not settle the second. It may overtake your own answer to the call. Send
it again until Temporal has taken it: the same `message_id` is applied once. An inspection or a search puts what it
established under `finding`.

Report `failed` also for what was `done` before and is taken back (account closed, returned to sender). Where the case
has closed meanwhile, Temporal answers that there is no such workflow: notify the shop's staff, who look at it.
"""

_WORDS = {
    400: "Not understood; nothing was done",
    401: "No token, or a wrong one; nothing was done",
    402: "Refused, and nothing was done: no funds, card closed",
    404: "Not known: `type` is `urn:after-sales:not-known`",
    409: (
        "Says nothing about whether it was done, so the step is looked up by its key. Type "
        "`urn:after-sales:key-reused`: the key was used before for other content; any other type: it is being done"
    ),
    422: "Refused, and nothing was done: out of stock, no crew, faulty content",
    429: "Asked too often; nothing was done (`Retry-After`)",
    503: "Not available; nothing was done (`Retry-After`)",
}


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    return {status: {"description": _WORDS[status], "content": content} for status in statuses}


def _answer(description: str, example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": description, "content": {"application/json": {"example": example}}}}


def _look_up(operation: str, summary: str, example: dict[str, Any]) -> dict[str, Any]:
    return {
        "operation_id": operation,
        "summary": summary,
        "description": "Asked before anything is offered. Answer 404 of type `urn:after-sales:not-known` for none.",
        "tags": ["look-ups"],
        "responses": _answer("What is known", example) | _problems(401, 404, 422, 429, 503),
    }


ABOUT: dict[str, Any] = {
    "title": "Partners of the after-sales case engine",
    "version": "1.0.0",
    "description": _INTRODUCTION,
    "openapi_tags": [
        {"name": "steps", "description": "Remedies to carry out: money, goods, visits."},
        {"name": "look-ups", "description": "What is known of an order, asked before anything is offered."},
        {"name": "messages", "description": "Words to customers and staff, delivered once per key."},
        {"name": STEP_REPORTED, "description": _REPORTING},
    ],
}

_REFUND_RECEIPT = {"reference": "REF-000042", "state": "done"}
_GOODS_RECEIPT = {"reference": "WAR-000043", "state": "accepted"}

CARRY_OUT: dict[str, Any] = {
    "operation_id": "carryOut",
    "summary": "Carry out a step, once",
    "description": (
        "Money is answered with `done`. What takes longer is answered with `accepted` and reported afterwards "
        "(see *step-reported*). `amount` is given for money, `items` for goods, `address` for visits."
    ),
    "tags": ["steps"],
    "response_model": Receipt,
    "responses": _answer("It is done", _REFUND_RECEIPT)
    | {
        202: {
            "model": Receipt,
            "description": "It is accepted; how it goes on is reported",
            "content": {"application/json": {"example": _GOODS_RECEIPT}},
        }
    }
    | _problems(400, 401, 402, 404, 409, 422, 429, 503),
}

FIND: dict[str, Any] = {
    "operation_id": "findStep",
    "summary": "What became of the step with this key",
    "description": "Answers for expired keys too. Asked after an answer was lost, before anything is sent again.",
    "tags": ["steps"],
    "response_model": Receipt,
    "responses": _answer("How it stands now", _REFUND_RECEIPT) | _problems(401, 404, 422, 429, 503),
}

LOOK_UPS: dict[str, dict[str, Any]] = {
    LookUpName.TRAIL: _look_up(
        "findTrail",
        "The trail of an order's shipment",
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
        "How an order left the warehouse",
        {"warehouse": "WH-1", "dispatched_at": "2026-11-18T09:00:00+08:00", "condition": "packed and sealed"},
    ),
    LookUpName.INSTALLATION: _look_up(
        "findInstallation",
        "An order's installation",
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
    "The text is final. The same key is delivered once, whatever its words: they may have been rendered again.",
    "sms",
)
CALLBACK = _delivered(
    "askCustomer",
    "Ask a customer whether they are satisfied",
    "By phone or questionnaire. The answer, 1 to 5, goes to the case as the Temporal signal `satisfaction-reported`.",
    "phone",
)
REPORT: dict[str, Any] = {
    "operation_id": "stepReported",
    "summary": "A step goes on (a Temporal signal, not a call)",
    "description": _REPORTING,
    "tags": [STEP_REPORTED],
    "status_code": 204,
    "responses": {"default": {"description": "Temporal's own error: send it again"}},
}

_CONTACT = {"name": "Wang Li", "phone": "+86 130 0000 0000", "locale": "zh-CN"}
_STEP = {"case_id": "HL-1", "order_id": "SO-88121", "currency": "CNY", "contact": _CONTACT}
COMMANDS: Any = {
    "refund": {
        "summary": "Money, to refunds",
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
