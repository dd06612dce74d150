"""ccxt without its hundred exchanges: the same classes, in a fraction of the time and memory."""

import json
import subprocess
import sys

import pytest

from bfaudit.exchanges import known

TELL = """
import json, sys
{first}
import ccxt.async_support as ccxt
def told(client):
    return sorted(
        (name, repr(value)) for name, value in vars(client).items()
        if isinstance(value, (str, int, float, bool, dict, list, tuple, type(None))) and name not in ("lastRestRequestTimestamp", "origin")
    )
found = {{}}
for name in sys.argv[1:]:
    cls = getattr(ccxt, name)
    found[name] = [cls.__module__, [one.__qualname__ for one in cls.__mro__], told(cls())]
print(json.dumps([found, len([name for name in sys.modules if name.startswith("ccxt.")])]))
"""
LEAN = "from bfaudit.scan import lean; assert lean.install()"


def _told(first, *exchanges):
    command = [sys.executable, "-c", TELL.format(first=first), *exchanges]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return json.loads(done.stdout)


def test_every_exchange_is_the_same_either_way():
    """Class, bases and every plain attribute of every exchange that bfaudit asks."""
    exchanges = sorted(known())
    lean, _ = _told(LEAN, *exchanges)
    usual, _ = _told("", *exchanges)

    assert usual == lean


def test_one_exchange_does_not_load_the_others():
    """Ten modules or so, where ccxt's own import loads some three hundred."""
    _, loaded = _told(LEAN, "kucoin")
    _, all_of_them = _told("", "kucoin")

    assert loaded < 30
    assert 200 < all_of_them


def test_what_its_clients_do_not_use_is_not_loaded():
    """What they would send with; it is as usual for who asks afterwards."""
    code = f"""
import sys
{LEAN}
import ccxt.async_support as ccxt
assert not {{"requests", "urllib3", "charset_normalizer", "aiohttp", "yarl", "multidict"}} & set(sys.modules)
agent = ccxt.kucoin().userAgent
import aiohttp, requests
assert requests.Session().headers["User-Agent"] == agent == requests.utils.default_user_agent()
assert issubclass(aiohttp.ClientError, Exception) and aiohttp.__version__
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_what_is_loaded_already_is_left_alone():
    """ccxt then has the real one."""
    code = f"""
import sys
import aiohttp, requests
{LEAN}
import ccxt.async_support.base.exchange as asynchronous, ccxt.base.exchange
assert ccxt.base.exchange.Session is requests.Session and sys.modules["requests"] is requests
assert asynchronous.aiohttp is aiohttp and sys.modules["aiohttp"] is aiohttp
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("name", ["nosuchexchange", "__wrapped__"])
def test_what_is_not_there_is_an_attribute_error(name):
    """As with any module."""
    code = f"{LEAN}\nimport ccxt.async_support as ccxt\nassert not hasattr(ccxt, {name!r})"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_ccxt_that_is_loaded_already_is_left_alone():
    """A program that uses ccxt itself keeps its own."""
    code = "import ccxt\nfrom bfaudit.scan import lean\nassert not lean.install()\nassert ccxt.exchanges"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_another_layout_leaves_the_usual_import(tmp_path):
    """A ccxt that is laid out otherwise is imported as usual."""
    package = tmp_path / "ccxt" / "async_support"
    package.mkdir(parents=True)
    (tmp_path / "ccxt" / "__init__.py").write_text("whole = True")
    (package / "__init__.py").write_text("whole = True")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nfrom bfaudit.scan import lean\n"
        "assert not lean.install()\nimport ccxt.async_support\nassert ccxt.whole and ccxt.async_support.whole"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
