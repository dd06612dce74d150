"""The connection test's answer from replies and facts: pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from bfaudit.exchanges.base import Adapter, Replies, Reply, Verdict
from bfaudit.model import Connection, Facts, Grant, Reason, Status

ADVICE: Mapping[Reason, str] = {
    Reason.PERMISSIONS_UNKNOWN: "Look at the key's permissions on the exchange's web page.",
    Reason.UNKNOWN_KEY: "Copy the key again, or create a new one; retire the connection if the key was deleted.",
    Reason.WRONG_SECRET: "Copy the secret again; if it is lost, create a new key.",
    Reason.WRONG_PASSPHRASE: "Copy the passphrase again; if it is lost, create a new key.",
    Reason.UNKNOWN_HERE: "Use the exchange id of the site on which the key was created; there, copy the key again or create a new one.",
    Reason.MALFORMED_SECRET: "Copy the secret again, whole, with its line breaks where it is a PEM key.",
    Reason.EXPIRED: "Create a new key and replace the old one; bind it to the servers' addresses.",
    Reason.DISABLED: "Enable the key on the exchange's web page, or create a new one.",
    Reason.WRONG_SITE: "Use the exchange id of the site on which the key was created.",
    Reason.UNRESOLVED_CREDENTIAL: "Provide the credential where its reference points to, and run again.",
    Reason.AMBIGUOUS: "Check in this order: the key and secret, the key's IP list, its read permission.",
    Reason.MISSING_PERMISSION: "Enable the missing permission; keep withdrawal disabled.",
    Reason.ACCOUNT_RESTRICTED: "Resolve the restriction with the exchange's support.",
    Reason.IP_NOT_ALLOWED: "Add the server's address to the key's IP list on the exchange.",
    Reason.UNREACHABLE: "Check the network and the exchange's status page; run again.",
    Reason.TIMEOUT: "Wait, and run again.",
    Reason.RATE_LIMITED: "Wait, and run again; another program on this host may use up the limit.",
    Reason.BANNED: "Stop all programs that call the exchange from this host, wait for the ban to end, run again.",
    Reason.MAINTENANCE: "Wait for the end of the maintenance, and run again.",
    Reason.SERVER_ERROR: "Wait, and run again.",
    Reason.BLOCKED: "Run again from another network: the exchange's firewall refuses this host.",
    Reason.REGION_BLOCKED: "Run from a region that the exchange serves.",
    Reason.CLOCK_SKEW: "Synchronise this host's clock (NTP), and run again.",
    Reason.UNEXPECTED_ANSWER: "Wait, and run again; if it stays, report it with the request's name.",
}

_WEAK = frozenset({Reason.AMBIGUOUS})


class Answer(Struct, frozen=True):
    """Status, reason, one sentence, and what to do."""

    status: Status
    reason: Reason | None
    detail: str
    advice: str


_ONLINE = Answer(Status.ONLINE, None, "", "")


def refusal(reason: Reason, detail: str) -> Answer:
    """The answer for a reason."""
    return Answer(reason.status, reason, detail, ADVICE[reason])


def judge_connection(
    adapter: Adapter, connection: Connection, replies: Replies, facts: Facts, now: datetime
) -> Answer:
    """What the connection test answers, from everything that was asked.

    Any success proves key and address. Without one, the last definite refusal counts: adapters ask on
    exactly where a later read tells the causes of an earlier refusal apart.
    """
    verdicts = [reply.verdict for reply in replies.values()]
    if None not in verdicts:
        return _refused(adapter, replies.values())
    over = _over(adapter, facts, now)
    if over:
        return over
    tested = [reply for label, reply in replies.items() if label.startswith("test.")]
    for reply in tested:
        if reply.verdict and reply.verdict.reason is not Reason.MISSING_PERMISSION:
            return _said(adapter, reply.verdict, f"{reply.read.path} was refused: ")
    return _permissions(connection, facts, tested)


def _refused(adapter: Adapter, replies: Iterable[Reply]) -> Answer:
    verdicts = [reply.verdict for reply in replies if reply.verdict]
    if not verdicts:
        return refusal(Reason.UNREACHABLE, f"{adapter.title} was not asked.")
    chosen, unanswered = verdicts[0], None
    for verdict in verdicts[1:]:
        if _definite(verdict) and (_definite(chosen) or chosen.reason in _WEAK):
            chosen, unanswered = verdict, None
        elif verdict.reason.status is Status.EXCHANGE_UNAVAILABLE:
            unanswered = verdict
    if unanswered and chosen.reason.status is Status.INVALID_KEY:
        say = f"{chosen.say}; the read that tells this from other causes was not answered"
        chosen = Verdict(Reason.AMBIGUOUS, chosen.code, say)
    return _said(adapter, unanswered if unanswered and _definite(chosen) else chosen)


def _definite(verdict: Verdict) -> bool:
    unavailable = verdict.reason.status is Status.EXCHANGE_UNAVAILABLE
    return not unavailable and verdict.reason not in _WEAK


def _said(adapter: Adapter, verdict: Verdict, before: str = "") -> Answer:
    code = f" {verdict.code}" if verdict.code else ""
    seen = f" {adapter.title} saw {verdict.seen_ip}." if verdict.seen_ip else ""
    answer = refusal(verdict.reason, f"{before}{adapter.title}{code}: {verdict.say}.{seen}")
    if verdict.seen_ip:
        advice = f"Add {verdict.seen_ip} to the key's IP list on the exchange."
        return Answer(answer.status, answer.reason, answer.detail, advice)
    return answer


def _over(adapter: Adapter, facts: Facts, now: datetime) -> Answer | None:
    """For a key that is over by its record: it is not Online, and as its exchange answers it, not surely dead either."""
    state, expires = facts.get("key.state"), facts.get("key.expires_at")
    past = expires and expires.value is not None and not expires.limitation and expires.value <= now
    if state and state.value == "disabled":
        detail = f"{adapter.title} says that the key is disabled, and still answers it."
        return Answer(Status.INVALID_KEY, Reason.AMBIGUOUS, detail, ADVICE[Reason.DISABLED])
    if past or (state and state.value == "expired"):
        detail = f"{adapter.title} says that the key has expired, and still answers it."
        return Answer(Status.INVALID_KEY, Reason.AMBIGUOUS, detail, ADVICE[Reason.EXPIRED])
    return None


def _permissions(connection: Connection, facts: Facts, tested: list[Reply]) -> Answer:
    """Reading is always required: without it neither balances nor orders can be seen."""
    required = {word: facts.grant(word) for word in ("read", *connection.requires)}
    grants = required.values()
    if Grant.DENIED in grants:
        missing = [word for word, grant in required.items() if grant is Grant.DENIED]
        verb = "is" if len(missing) == 1 else "are"
        detail = f"The key works, but {_listed(missing)} {verb} required and not granted."
        return refusal(Reason.MISSING_PERMISSION, detail)
    for reply in tested:
        if reply.verdict:
            detail = f"The key works, but {reply.read.path} needs {reply.read.needs or 'more'}."
            return refusal(Reason.MISSING_PERMISSION, detail)
    if Grant.UNKNOWN in grants:
        unknown = [word for word, grant in required.items() if grant is Grant.UNKNOWN]
        detail = f"The key works, but whether it has {_listed(unknown)} could not be read."
        return refusal(Reason.PERMISSIONS_UNKNOWN, detail)
    return _ONLINE


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" and {names[-1]}"
