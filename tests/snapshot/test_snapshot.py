"""Snapshots survive the way through JSON, and nothing else passes for one."""

import json
from contextlib import suppress
from datetime import UTC, datetime

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bfaudit import schemas
from bfaudit.errors import IntegrityError, InvalidInput
from bfaudit.facts import FACTS, Kind
from bfaudit.model import (
    Attestation,
    Connection,
    ExchangeScanned,
    Fact,
    Facts,
    Grant,
    Place,
    Reason,
    Rejected,
    RequestMade,
    Scanned,
    Snapshot,
    Source,
    Status,
)
from bfaudit.nested import NOT_RECORDED
from bfaudit.sealed import digest_in, digest_of, seal
from bfaudit.snapshot import SCHEMA, Declared, decode, encode
from tests.report.samples import SAMPLES, failing, hostile

SAMPLE = encode(failing().snapshot)
VALIDATOR = jsonschema_rs.Draft202012Validator(schemas.load("snapshot"), validate_formats=True)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
maybe = st.none() | texts
moments = st.datetimes(datetime(2001, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
days = st.dates()
numbers = st.integers(0, 2**40)
places = st.builds(Place, texts, st.integers(1, 9999), st.integers(1, 999))
words = st.tuples() | st.lists(texts, max_size=3).map(tuple)
VALUES = {
    Kind.GRANT: st.sampled_from([Grant.GRANTED, Grant.DENIED]),
    Kind.BOOL: st.none() | st.booleans(),
    Kind.TEXT: maybe,
    Kind.TIME: st.none() | moments,
    Kind.TEXTS: st.none() | words,
}


@st.composite
def facts(draw):
    known, unknown = {}, {}
    paths = draw(st.lists(st.sampled_from([*FACTS, "permissions.other:earn.x"]), unique=True))
    for path in paths:
        kind = FACTS[path].kind if path in FACTS else Kind.GRANT
        if draw(st.booleans()):
            value, source = draw(VALUES[kind]), draw(st.sampled_from(Source))
            known[path] = Fact(value, source, draw(maybe), draw(maybe), draw(maybe))
        else:
            unknown[path] = draw(texts)
    return Facts(known, unknown)


@st.composite
def scans(draw, name):
    reason = draw(st.none() | st.sampled_from(Reason))
    connection = draw(
        st.builds(
            Connection,
            name=st.just(name),
            exchange=texts,
            account=maybe,
            strategy=maybe,
            requires=words,
            servers=words,
            owner=maybe,
            symbols=st.none() | words,
            created=st.none() | days,
            expires=st.none() | days,
            tags=words,
            attestations=st.dictionaries(
                texts, st.builds(Attestation, texts, days, st.none() | days, maybe), max_size=2
            ),
            place=places,
            places=st.dictionaries(texts, places, max_size=3),
        )
    )
    return Scanned(
        connection=connection,
        status=reason.status if reason else Status.ONLINE,
        reason=reason,
        detail=draw(texts),
        advice=draw(texts),
        scanned_at=draw(moments),
        fingerprint=draw(maybe),
        schemes=draw(st.dictionaries(texts, texts, max_size=3)),
        facts=draw(facts()),
        requests=tuple(
            draw(
                st.lists(
                    st.builds(
                        RequestMade, texts, moments, numbers, st.none() | numbers, texts, numbers
                    ),
                    max_size=2,
                )
            )
        ),
    )


@st.composite
def snapshots(draw):
    names = draw(st.lists(texts, max_size=3, unique=True))
    exchange = st.builds(
        ExchangeScanned,
        id=texts,
        url=texts,
        redirected=st.booleans(),
        clock_offset_ms=st.none() | st.integers(-(2**40), 2**40),
        requests=numbers,
    )
    return Snapshot(
        generated_at=draw(moments),
        connections=tuple(draw(scans(name)) for name in names),
        exchanges=tuple(draw(st.lists(exchange, max_size=2))),
        rejected=tuple(draw(st.lists(st.builds(Rejected, texts, places, texts), max_size=2))),
        interrupted=draw(st.booleans()),
        version=draw(texts),
    )


class TestRoundTrip:
    @given(snapshots())
    @settings(max_examples=60, deadline=None)
    def test_any(self, snapshot):
        """Any snapshot comes back equal, from a document that fits the schema, and writes the same bytes again."""
        data = encode(snapshot)
        again = decode(data, "x.json")

        assert snapshot == again
        assert data == encode(again)
        VALIDATOR.validate(json.loads(data))

    @pytest.mark.parametrize("name", list(SAMPLES))
    def test_samples(self, name):
        """So do the samples, but for what is no Unicode text."""
        snapshot = SAMPLES[name]().snapshot
        data = encode(snapshot)

        assert data == encode(decode(data, "x.json"))
        assert name == "hostile" or snapshot == decode(data, "x.json")
        VALIDATOR.validate(json.loads(data))

    def test_credentials_stay_out(self):
        """Of a credential reference only its scheme is written."""
        snapshot = failing().snapshot
        first = snapshot.connections[0]
        told = replace(first.connection, credentials={"key": "env:CANARY", "secret": "file:CANARY"})
        changed = replace(snapshot, connections=(replace(first, connection=told),))
        data = encode(changed)

        assert b"CANARY" not in data
        assert {"key": "env", "secret": "env"} == decode(data, "x").connections[0].schemes
        assert {} == decode(data, "x").connections[0].connection.credentials

    def test_every_field_is_declared(self):
        """A new field of the manifest cannot be forgotten."""
        elsewhere = {"name", "exchange", "account", "strategy", "place"}
        declared = {*Declared.__struct_fields__, *elsewhere, "places"} - {"locations"}

        assert set(Connection.__struct_fields__) == declared

    def test_unknown_is_null_and_listed(self):
        """What no exchange told is null, or `unknown` for a grant, and listed with a reason."""
        row = json.loads(SAMPLE)["connections"][0]

        assert row["permissions"]["margin"] == "unknown"
        assert row["key"]["last_used_at"] is None
        assert row["unknown"]["permissions.margin"] == "mexc does not tell it"
        assert row["unknown"]["key.last_used_at"] == "the exchange does not report it"

    def test_silence_is_listed_too(self):
        """A fact that a scan does not mention at all is still listed as unknown."""
        silent = replace(failing().snapshot.connections[0], facts=Facts(), fingerprint=None)
        data = encode(replace(failing().snapshot, connections=(silent,)))
        row = json.loads(data)["connections"][0]

        assert row["unknown"]["permissions.read"] == NOT_RECORDED
        assert "key.fingerprint" in row["unknown"]
        assert Facts() == decode(data, "x").connections[0].facts

    def test_later_facts_are_left_out(self):
        """A later version's facts, and facts without evidence, are not taken for known ones."""
        document = json.loads(SAMPLE)
        row = document["connections"][0]
        row["novel"] = {"fact": [[[]]]}
        row["evidence"]["novel.fact"] = {"source": "probe"}
        del row["evidence"]["permissions.withdraw"]
        read = decode(sealed(document), "x").connections[0].facts

        assert read.get("novel.fact") is None
        assert Grant.UNKNOWN == read.grant("withdraw")


def sealed(document):
    body = {name: value for name, value in document.items() if name not in {"schema", "digest"}}
    return seal(document["schema"], body)


class TestIntegrity:
    def test_altered(self):
        """A changed value is noticed."""
        altered = SAMPLE.replace(b'"withdraw": "granted"', b'"withdraw": "denied"')

        assert altered != SAMPLE
        with pytest.raises(IntegrityError, match="does not match its digest") as caught:
            decode(altered, "fleet.json")
        assert "fleet.json" == caught.value.place.file
        assert 5 == caught.value.exit_code

    def test_missing(self):
        """So is a digest that was taken away."""
        document = json.loads(SAMPLE)
        del document["digest"]

        with pytest.raises(IntegrityError, match="digest is missing"):
            decode(json.dumps(document).encode(), "fleet.json")

    def test_layout_is_no_content(self):
        """Spaces and the order of names may change: the content is the same."""
        document = json.loads(SAMPLE)
        compact = json.dumps(dict(reversed(document.items()))).encode()

        assert failing().snapshot == decode(compact, "x")
        assert digest_in(SAMPLE) == document["digest"] == digest_of(document)


def changed(**fields):
    return sealed(json.loads(SAMPLE) | fields)


def with_row(**fields):
    document = json.loads(SAMPLE)
    document["connections"] = [document["connections"][0] | fields]
    return sealed(document)


HOSTILE = {
    "nothing": b"",
    "not JSON": b"{",
    "not UTF-8": b'{"schema": "\xff"}',
    "binary": bytes(range(256)),
    "a list": b"[]",
    "a text": b'"bfaudit-snapshot/1"',
    "deep": b"[" * 200_000,
    "deep inside": b'{"schema": "bfaudit-snapshot/1", "x": ' + b'{"a":' * 900 + b"1" + b"}" * 901,
    "huge number": b'{"schema": "bfaudit-snapshot/1", "x": ' + b"9" * 100_000 + b"}",
    "lone surrogate": b'{"schema": "bfaudit-snapshot/1", "x": "\\ud800"}',
    "megabytes": b'{"schema": "' + b"x" * 4_000_000 + b'"}',
    "a report": b'{"schema": "bfaudit-report/1"}',
    "a later version": b'{"schema": "bfaudit-snapshot/2"}',
    "schema of a wrong type": b'{"schema": {"a": 1}}',
    "fields missing": seal(SCHEMA, {}),
    "connections of a wrong type": changed(connections={"a": 1}),
    "a connection of a wrong type": changed(connections=[1]),
    "two of one name": changed(connections=json.loads(SAMPLE)["connections"][:1] * 2),
    "a naive time": changed(generated_at="2026-01-01T00:00:00"),
    "a time out of range": changed(generated_at="0001-01-01T00:00:00+10:00"),
    "an unheard-of status": with_row(status="Fine"),
    "a reason of another status": with_row(reason="timeout"),
    "a group of a wrong type": with_row(permissions=[]),
    "a grant of a wrong type": with_row(permissions={"read": 1, "withdraw": "denied"}),
    "evidence for an unknown": with_row(permissions={"read": "unknown"}),
    "facts missing": with_row(permissions={}),
    "a fingerprint of a wrong type": with_row(key={"fingerprint": 7}),
    "a key that is no group": with_row(key=7),
    "declared of a wrong type": with_row(declared=[]),
    "an unheard-of lifecycle": with_row(
        declared=json.loads(SAMPLE)["connections"][0]["declared"] | {"lifecycle": "Active"}
    ),
    "an unheard-of lifecycle of one left out": changed(
        rest=[{"name": "b", "exchange": "mexc", "lifecycle": "dormant"}]
    ),
    "a location of a wrong type": with_row(location={"file": "x", "line": "1", "column": 1}),
}


class TestHostile:
    @pytest.mark.parametrize("name", list(HOSTILE))
    def test_is_refused(self, name):
        """Whatever is not a snapshot is refused with its file's name, and never with a traceback."""
        with pytest.raises((InvalidInput, IntegrityError)) as caught:
            decode(HOSTILE[name], "from-a-fork.json")

        problem = (
            caught.value.problems[0] if isinstance(caught.value, InvalidInput) else caught.value
        )
        assert "from-a-fork.json" == problem.place.file
        assert len(problem.message) < 300

    def test_hint(self):
        """The hint says what the file is instead."""
        with pytest.raises(InvalidInput) as caught:
            decode(HOSTILE["a report"], "x")

        assert "bfaudit-report/1" in caught.value.problems[0].hint

    @given(st.data())
    @settings(max_examples=60, deadline=None)
    def test_any_value_anywhere(self, data):
        """A sealed document with any JSON in any place is read, or refused in words."""
        document = json.loads(SAMPLE)
        row = document["connections"][0]
        target = data.draw(
            st.sampled_from([document, row, row["key"], row["declared"], row["evidence"]])
        )
        name = data.draw(st.sampled_from(sorted(set(target) - {"schema", "digest"})))
        leaves = st.none() | st.booleans() | st.integers() | texts
        target[name] = data.draw(
            leaves | st.lists(leaves, max_size=2) | st.dictionaries(texts, leaves, max_size=2)
        )

        with suppress(InvalidInput):
            decode(sealed(document), "x")

    def test_texts_of_strangers(self):
        """Labels that are no Unicode text are written with a replacement character."""
        names = [
            each.connection.name for each in decode(encode(hostile().snapshot), "x").connections
        ]

        assert "nul\0byte \ufffd lone" in names
