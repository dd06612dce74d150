"""What an answer means: the documented success, or why not, by an exchange's own error table first."""

import re
from collections.abc import Mapping
from ipaddress import ip_address

from bfaudit.exchanges.base import Adapter, Form, Refusal, Reply, Verdict
from bfaudit.model import Json, Reason

HTTP_REASONS: Mapping[int, tuple[Reason, str]] = {
    401: (Reason.AMBIGUOUS, "the request was not accepted as signed"),
    403: (Reason.BLOCKED, "the request was blocked before it reached the exchange's API"),
    408: (Reason.TIMEOUT, "the exchange gave up waiting"),
    429: (Reason.RATE_LIMITED, "too many requests"),
    451: (Reason.REGION_BLOCKED, "the exchange does not serve this host's region"),
    504: (Reason.TIMEOUT, "the exchange's gateway timed out"),
}

FAILURES: Mapping[Reason, str] = {
    Reason.TIMEOUT: "no answer in time",
    Reason.UNREACHABLE: "the exchange could not be reached",
    Reason.MALFORMED_SECRET: "the secret does not have the form this exchange's signature needs",
    Reason.UNEXPECTED_ANSWER: "the answer could not be read",
    Reason.RATE_LIMITED: "too many requests",
    Reason.BLOCKED: "the client wanted to ask a host that is not the exchange's; nothing was sent",
    Reason.BANNED: "this host's address is banned for a while for sending too many requests",
}

CCXT_REASONS: Mapping[str, Reason] = {
    "PermissionDenied": Reason.AMBIGUOUS,
    "AccountSuspended": Reason.ACCOUNT_RESTRICTED,
    "AccountNotEnabled": Reason.ACCOUNT_RESTRICTED,
    "AuthenticationError": Reason.AMBIGUOUS,
    "InvalidNonce": Reason.CLOCK_SKEW,
    "RateLimitExceeded": Reason.RATE_LIMITED,
    "DDoSProtection": Reason.RATE_LIMITED,
    "OnMaintenance": Reason.MAINTENANCE,
    "RestrictedLocation": Reason.REGION_BLOCKED,
    "RequestTimeout": Reason.TIMEOUT,
}
"""The last resort, for codes that no table names."""


def judge(adapter: Adapter, reply: Reply) -> Verdict | None:
    """Why a reply is not the documented success, by the exchange's own code first, HTTP status next, ccxt last."""
    if reply.failure is not None:
        return Verdict(reply.failure, "", FAILURES.get(reply.failure, "no answer"))
    status = reply.http or 0
    if status == 418:
        return Verdict(Reason.BANNED, "HTTP 418", FAILURES[Reason.BANNED])
    if reply.form is Form.JSON:
        error = adapter.error_of(reply.body)
        if error is None and 200 <= status < 300:
            if _has_shape(reply.read.expects, reply.body):
                return None
            say = "the exchange's answer has a shape that its documentation does not know"
            return Verdict(Reason.UNEXPECTED_ANSWER, f"HTTP {status}", say)
        if error is None and status == 401 and _has_shape(reply.read.expects, reply.body):
            say = "the exchange's answer is a success by its content and a refusal by its status"
            return Verdict(Reason.UNEXPECTED_ANSWER, "HTTP 401", say)
        code, message = error or ("", "")
        code = _CODE.sub("", code)[:40]
        for row in adapter.refusals:
            if row.reads and reply.read.label not in row.reads:
                continue
            if _matches(row, code, message, status):
                return Verdict(
                    row.reason,
                    code or f"HTTP {status}",
                    row.say,
                    _seen_ip(message) if row.reason is Reason.IP_NOT_ALLOWED else None,
                )
        if status in HTTP_REASONS and status != 403:
            reason, say = HTTP_REASONS[status]
            return Verdict(reason, code or f"HTTP {status}", say)
        if status >= 500:
            return Verdict(
                Reason.SERVER_ERROR, code or f"HTTP {status}", "the exchange has a fault of its own"
            )
        known = CCXT_REASONS.get(reply.error_class or "", Reason.UNEXPECTED_ANSWER)
        return Verdict(known, code or f"HTTP {status}", "an answer that bfaudit does not know")
    if status == 401 and reply.form is Form.HTML:  # a gateway's: no exchange speaks of keys so
        return Verdict(Reason.BLOCKED, "HTTP 401", HTTP_REASONS[403][1])
    for row in adapter.refusals:
        if row.http == status and not row.codes and row.text is None:
            return Verdict(row.reason, f"HTTP {status}", row.say)
    if status in HTTP_REASONS:
        reason, say = HTTP_REASONS[status]
        return Verdict(reason, f"HTTP {status}", say)
    if status >= 500:
        return Verdict(Reason.SERVER_ERROR, f"HTTP {status}", "the exchange has a fault of its own")
    what = {Form.HTML: "a web page", Form.EMPTY: "nothing", Form.TEXT: "something that is not JSON"}
    return Verdict(
        Reason.UNEXPECTED_ANSWER,
        f"HTTP {status}",
        f"the exchange sent {what.get(reply.form, 'no answer')} instead of JSON",
    )


_CODE = re.compile(r"[^A-Za-z0-9_.:-]")


def _has_shape(expects: tuple[str, ...], body: Json) -> bool:
    return not expects or any(_has(path, body) for path in expects)


def _has(path: str, body: Json) -> bool:
    for name in path.split("."):
        if name == "[]" and isinstance(body, list):
            body = body[0] if body else None
            continue
        if not isinstance(body, dict) or name not in body:
            return False
        body = body[name]
    return True


def _matches(row: Refusal, code: str, message: str, status: int) -> bool:
    if row.codes and code not in row.codes:
        return False
    if row.http is not None and row.http != status:
        return False
    return row.text is None or re.search(row.text, message, re.IGNORECASE) is not None


_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{3,45}")


def _seen_ip(message: str) -> str | None:
    for found in _ADDRESS.findall(message[:500]):
        try:
            return str(ip_address(found.strip(".:")))
        except ValueError:
            continue
    return None
