"""The client that signs is compared with the pinned one, and what is installed beside it with what is known to steal."""

import asyncio
import base64
import hashlib
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import pytest

from bfaudit.exchanges import known
from bfaudit.scan import clients, genuine
from bfaudit.scan.transport import Wire
from tests.scan.fleet import NOBODY, scan_one

ROOT = Path(__file__).resolve().parents[2]


def test_the_pinned_release_is_the_one_that_is_installed():
    """After another release of ccxt is pinned, `VERSION` and `FILES` of bfaudit/scan/genuine.py are to be written anew."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found = distribution(genuine.CLIENT)

    assert f"{genuine.CLIENT}=={genuine.VERSION}" in project["dependencies"]
    assert (genuine.VERSION, genuine.FILES) == (
        found.version,
        genuine.digest(genuine.listed(found)),
    )


def test_the_client_here_is_genuine():
    """All that this process has imported of it is as the release has it, and nothing bad is installed."""
    told = genuine.client()

    assert (f"ccxt {genuine.VERSION}", (), None, ()) == (
        told.name,
        told.differs,
        told.unknown,
        told.known_bad,
    )


def hash_of(text: bytes) -> str:
    """As RECORD writes it."""
    return base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A place for packages, which holds a client of one file, and is all that Python sees."""
    (tmp_path / "ccxt").mkdir()
    (tmp_path / "ccxt" / "__init__.py").write_bytes(b"good = True\n")
    info = tmp_path / f"ccxt-{genuine.VERSION}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: ccxt\nVersion: {genuine.VERSION}\n"
    )
    rows = {"ccxt/__init__.py": hash_of(b"good = True\n")}
    (info / "RECORD").write_text(
        f"ccxt/__init__.py,sha256={rows['ccxt/__init__.py']},12\nccxt/old.pyc,,\n"
    )
    module = ModuleType("ccxt")
    module.__file__ = str(tmp_path / "ccxt" / "__init__.py")
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    monkeypatch.setattr(genuine, "FILES", genuine.digest(rows))
    monkeypatch.setattr(genuine.sys, "modules", {"ccxt": module, "json": ModuleType("json")})
    return tmp_path


def test_an_unaltered_client_is_genuine(site):
    """The small one that the other tests spoil."""
    assert ((), None) == (genuine.client().differs, genuine.client().unknown)


def test_a_changed_file_is_named(site):
    """RECORD says otherwise."""
    (site / "ccxt" / "__init__.py").write_bytes(b"good = False\n")

    assert ("ccxt/__init__.py",) == genuine.client().differs


def test_a_changed_file_with_a_changed_list_is_seen(site):
    """Whoever changes a file can write its new hash into RECORD; the release's own list is pinned."""
    (site / "ccxt" / "__init__.py").write_bytes(b"good = False\n")
    (record,) = site.glob("*.dist-info/RECORD")
    record.write_text(f"ccxt/__init__.py,sha256={hash_of(b'good = False' + bytes([10]))},13\n")

    assert ("the list of its files",) == genuine.client().differs


def test_another_release_is_named(site):
    """Only one release is known here."""
    (metadata,) = site.glob("*.dist-info/METADATA")
    metadata.write_text("Metadata-Version: 2.1\nName: ccxt\nVersion: 9.9\n")

    assert (f"version 9.9 instead of {genuine.VERSION}",) == genuine.client().differs


def test_a_module_from_elsewhere_is_named(site, tmp_path_factory):
    """Another folder earlier on the path stands in for the installed client."""
    other = tmp_path_factory.mktemp("other") / "evil.py"
    other.write_text("")
    module = ModuleType("ccxt.evil")
    module.__file__ = str(other)
    genuine.sys.modules["ccxt.evil"] = module

    assert ("ccxt.evil comes from another place than the installed ccxt",) == (
        genuine.client().differs
    )


def test_a_module_that_the_release_does_not_have_is_named(site):
    """A file that was put beside the others."""
    (site / "ccxt" / "more.py").write_text("")
    module = ModuleType("ccxt.more")
    module.__file__ = str(site / "ccxt" / "more.py")
    genuine.sys.modules["ccxt.more"] = module

    assert ("ccxt/more.py",) == genuine.client().differs


@pytest.mark.parametrize("record", [None, "", "no,rows\n", "ccxt/__init__.py\n"])
def test_without_a_list_nothing_is_known(site, record):
    """No RECORD, or one that says nothing: unknown, and never genuine."""
    (found,) = site.glob("*.dist-info/RECORD")
    found.unlink()
    if record is not None:
        found.write_text(record)

    assert "has no list of its files" in genuine.client().unknown
    assert () == genuine.client().differs


def test_a_client_that_is_no_package_is_unknown(site):
    """Copied into the path, say: there is nothing to compare with."""
    for file in (info := next(site.glob("*.dist-info"))).iterdir():
        file.unlink()
    info.rmdir()

    assert "was not installed as a package" in genuine.client().unknown


@pytest.mark.parametrize(
    ("folder", "bad"),
    [
        ("ccxt_mexc_futures-0.1.8.dist-info", ("ccxt-mexc-futures 0.1.8",)),
        ("CCXT.MEXC.Futures-0.1.8.dist-info", ("ccxt-mexc-futures 0.1.8",)),
        ("ccxt_mexc_futures-0.1.8-py3.11.egg-info", ("ccxt-mexc-futures 0.1.8",)),
        ("ccxt_mexc_futures.egg-info", ("ccxt-mexc-futures",)),
        ("aiocpa-0.1.13.dist-info", ("aiocpa 0.1.13",)),
        ("aiocpa-0.1.12.dist-info", ()),
        ("ccxt_download-0.4.1.dist-info", ()),
    ],
)
def test_a_package_on_the_list_is_found_by_its_name_and_version(site, folder, bad):
    """However the installer wrote the name; packages that merely sound alike are none of our business."""
    (site / folder).mkdir()

    assert bad == genuine.client().known_bad


def test_every_entry_of_the_list_says_what_it_is_and_who_says_so():
    """A name on this list is an accusation: no entry without sources."""
    text = (ROOT / "bfaudit" / "scan" / "known_bad.yaml").read_text("utf-8")
    entries = genuine.documents.parse(text, "known_bad.yaml").data["packages"]

    assert set(genuine.known_bad()) >= {"ccxt-mexc-futures"}
    assert all(
        one["what"] and all(source.startswith("https://") for source in one["sources"])
        for one in entries
    )
    assert all(len(one["sources"]) >= 2 for one in entries)


def test_a_scan_records_the_client_and_where_it_asked():
    """Once per snapshot, the redirection to the sandbox included."""
    snapshot = scan_one("mexc", {"permissions": ("SPOT_ACCOUNT_READ",)}).snapshot
    (asked,) = snapshot.exchanges

    assert genuine.client() == snapshot.client
    assert (True, ()) == (asked.redirected, asked.refused_hosts)


async def _hosts(exchange):
    """The hosts of all that an adapter may send, as ccxt signs it, and of the public time."""
    adapter = known()[exchange]
    async with Wire(NOBODY) as wire:
        made = clients.template(exchange, adapter, wire, None, seconds=1.0, probes=True)
        secret = base64.b64encode(b"s" * 21).decode()
        view = clients.view(made, {"key": "account-one", "secret": secret, "passphrase": "p"})
        reads = [*adapter.reads, *(one for pair in adapter.tests.values() for one in pair)]
        reads += adapter.lists.reads if adapter.lists else ()
        urls = []
        for read in reads:
            try:
                signed = view.sign(*clients.endpoint(view, read), dict(read.params))
            except Exception as error:  # noqa: BLE001 - a key of another form, or the time is asked first
                urls.append(f"https://{urlsplit(adapter.url(exchange)).netloc}/{error}")
            else:
                urls.append(signed["url"])
        return {urlsplit(url).netloc for url in urls}, made


@pytest.mark.parametrize("exchange", sorted(known()))
def test_every_request_goes_to_an_official_host(exchange):
    """What the pinned ccxt would send is what the adapter calls official: nothing less would get out."""
    hosts, made = asyncio.run(_hosts(exchange))

    assert hosts <= known()[exchange].official
    assert made.bf_hosts == known()[exchange].official
    assert urlsplit(known()[exchange].url(exchange)).netloc in hosts


def test_a_request_to_a_strange_host_does_not_leave(monkeypatch):
    """A client that was tampered with signs for a host of its own: nothing is sent, and the snapshot names the host."""
    sent = []
    original = Wire.send

    async def send(wire, scheme, host, *rest):
        sent.append(host)
        return await original(wire, scheme, host, *rest)

    class Tampered(clients.ccxt.kucoin):
        def sign(self, *given, **named):
            signed = super().sign(*given, **named)
            return {**signed, "url": "https://kucoin.example/v3" + urlsplit(signed["url"]).path}

    monkeypatch.setattr(Wire, "send", send)
    monkeypatch.setattr(clients.ccxt, "kucoin", Tampered)
    seen = scan_one("kucoin", {"permissions": ("General",)})
    (asked,) = seen.snapshot.exchanges

    assert "kucoin.example" not in sent
    assert ("kucoin.example",) == asked.refused_hosts
    assert "Exchange unavailable" == seen.one.status
    assert "not the exchange's" in seen.one.detail
