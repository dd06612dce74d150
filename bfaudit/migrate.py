"""What other tools' files say of keys -> connections to declare. Pure; no value of a secret goes further than here."""

import csv
import io
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import yaml

from bfaudit import literals
from bfaudit.errors import UsageError
from bfaudit.manifest.writing import Draft, variables
from bfaudit.model import PERMISSIONS

Files = Sequence[tuple[str, str]]
Known = Mapping[str, str]
"""Titles of exchanges by id."""
Roles = Mapping[str, Collection[str]]


class Exposed(NamedTuple):
    """A secret in the clear: where it stands, never what it is."""

    place: str
    variable: str


class Found(NamedTuple):
    """What a file speaks of."""

    drafts: list[Draft]
    secrets: list[Exposed]
    skipped: list[str]


_MARKETS = {"perpetual": "futures", "futures": "futures", "swap": "futures", "margin": "margin"}
_FILLERS = frozenset({*_MARKETS, "spot", "io", "advanced", "trade", "v5"})
_ROLES = {
    "key": ("key", "api_key", "apikey", "access_key", "key_id", "api_key_id"),
    "secret": ("secret", "api_secret", "secret_key", "apisecret", "private_key", "secret_api_key", "api_secret_key"),
    "passphrase": ("passphrase", "api_passphrase", "password", "api_password", "passwd"),
}  # fmt: skip
_ROLE_OF = {name: role for role, names in _ROLES.items() for name in names}
_ENDINGS = sorted(_ROLE_OF, key=len, reverse=True)


def exchange_of(text: str, known: Known) -> tuple[str | None, str]:
    """The id of the exchange that a connector's name means, and the market word in it. Never a guess by likeness."""
    words = [word for word in re.split(r"[^a-z0-9]+", text.casefold()) if word]
    market = next((_MARKETS[word] for word in words if word in _MARKETS), "trade")
    ids = {name.casefold(): name for name in known}
    full = "".join(words)
    core = "".join(word for word in words if word not in _FILLERS)
    return ids.get(full) or ids.get(core) or ids.get(core.removesuffix("io")), market


def distinct(drafts: Sequence[Draft]) -> list[Draft]:
    """The same connections with names that differ."""
    counts: dict[str, int] = {}
    made = []
    for draft in drafts:
        number = counts[draft.name.casefold()] = counts.get(draft.name.casefold(), 0) + 1
        made.append(draft if number == 1 else draft._replace(name=f"{draft.name} {number}"))
    return made


def _draft(
    exchange: str, strategy: str, market: str, known: Known, roles: Roles, found: Found, **more: Any
) -> Draft:
    words = [word.capitalize() for word in re.split(r"[\s_-]+", strategy) if word]
    given = {"name": " ".join([known[exchange], *words]), "requires": ("read", market), **more}
    number = sum(draft.name == given["name"] for draft in found.drafts) + 1
    named = given["name"] if number == 1 else f"{given['name']} {number}"
    given.setdefault("credentials", variables(named, roles[exchange]))
    return Draft(exchange=exchange, strategy=strategy, **given)


def _exposed(draft: Draft, role: str, place: str) -> Exposed:
    return Exposed(place, draft.credentials.get(role, "").removeprefix("env:"))


def _stem(file: str) -> str:
    name = re.split(r"[/\\]", file)[-1].partition(".")[0]
    return re.sub(r"^config[_-]?", "", name) or "bot"


def freqtrade(files: Files, known: Known, roles: Roles) -> Found:
    """A freqtrade configuration: `exchange.name`, `key`, `secret`, `password`; comments are allowed there."""
    found = Found([], [], [])
    for file, text in files:
        try:
            data = json.loads(_without_comments(text))
        except json.JSONDecodeError as error:
            raise UsageError(f"{file}:{error.lineno}:{error.colno}: not JSON") from None
        except (ValueError, RecursionError):  # a number of thousands of digits, endless lists
            raise UsageError(f"{file} is no configuration of freqtrade") from None
        section = data.get("exchange") if isinstance(data, dict) else None
        name = section.get("name") if isinstance(section, dict) else None
        if not isinstance(section, dict) or not isinstance(name, str):
            found.skipped.append(f"{file}: no exchange.name")
            continue
        exchange, _ = exchange_of(name, known)
        if exchange is None:
            found.skipped.append(f"{file}: {literals.shown(name)} is not supported")
            continue
        mode = str(data.get("trading_mode") or "spot")
        strategy = next((data[key] for key in ("bot_name", "strategy") if isinstance(data.get(key), str) and data[key]), _stem(file))  # fmt: skip
        draft = _draft(exchange, _safe(strategy), _MARKETS.get(mode, "trade"), known, roles, found)
        found.drafts.append(draft)
        for field, role in (("key", "key"), ("secret", "secret"), ("password", "passphrase")):
            if section.get(field) and role in draft.credentials:
                found.secrets.append(_exposed(draft, role, f"{file}: exchange.{field}"))
    return found


def hummingbot(files: Files, known: Known, roles: Roles) -> Found:
    """Connectors: a `connector:` file each, or a list, by name; what is encrypted in them stays there."""
    found = Found([], [], [])
    for file, text in files:
        try:
            data = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError, RecursionError):  # such as a day that is none
            raise UsageError(f"{file} is not YAML") from None
        if isinstance(data, dict) and isinstance(data.get("connector"), str):
            names = [data["connector"]]
        else:
            names = list(_names(data))
        for name in names:
            exchange, market = exchange_of(name, known)
            if exchange is None:
                found.skipped.append(f"{file}: {literals.shown(name)} is not supported")
                continue
            draft = _draft(exchange, "hummingbot" if market == "trade" else f"hummingbot-{market}", market, known, roles, found)  # fmt: skip
            found.drafts.append(draft)
    return found


def _names(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield from data.split()
    elif isinstance(data, list):
        yield from (item for item in data if isinstance(item, str))
    elif isinstance(data, dict):
        inner = data.get("connectors")
        yield from _names(inner) if inner is not None else (str(key) for key in data)


_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")


def env(files: Files, known: Known, roles: Roles) -> Found:
    """A .env: variables whose names hold an exchange and end in a role; the references name those variables."""
    found = Found([], [], [])
    groups: dict[str, dict[str, str]] = {}
    for _, text in files:
        for line in text.splitlines():
            match = _LINE.fullmatch(line)
            if match and (split := _role_in(match[1])):
                groups.setdefault(split[0], {})[split[1]] = match[1]
    for stem, names in groups.items():
        exchange, market, rest = _in_words(stem, known)
        if exchange is None:
            found.skipped.append(f"{', '.join(names.values())}: no exchange in the name")
            continue
        missing = [role for role in roles[exchange] if role not in names]
        if missing:
            found.skipped.append(f"{', '.join(names.values())}: no {' and no '.join(missing)} beside it")  # fmt: skip
            continue
        references = {role: f"env:{names[role]}" for role in roles[exchange]}
        strategy = rest or "main"
        found.drafts.append(_draft(exchange, strategy, market, known, roles, found, credentials=references))  # fmt: skip
    return found


def _role_in(name: str) -> tuple[str, str] | None:
    """A variable's name without its role, and the role."""
    low = name.casefold()
    for ending in _ENDINGS:
        if low.endswith(f"_{ending}") and len(low) > len(ending) + 1:
            return low[: -len(ending) - 1], _ROLE_OF[ending]
        if low.startswith(f"{ending}_") and len(low) > len(ending) + 1:
            return low[len(ending) + 1 :], _ROLE_OF[ending]
    return None


def _in_words(stem: str, known: Known) -> tuple[str | None, str, str]:
    """(exchange, market, the other words) of a name such as `kucoin_spot_grid`; the longest id wins."""
    words = stem.split("_")
    ids = {name.casefold(): name for name in known}
    for length in range(len(words), 0, -1):
        for start in range(len(words) - length + 1):
            name = "".join(words[start : start + length])
            if name in ids:
                rest = words[:start] + words[start + length :]
                market = next((_MARKETS[word] for word in rest if word in _MARKETS), "trade")
                return ids[name], market, "-".join(word for word in rest if word not in ("api", "io"))  # fmt: skip
    return None, "trade", ""


def table(files: Files, known: Known, roles: Roles) -> Found:
    """A CSV with a header: exchange, and any of name, account, strategy, owner, purpose, requires, servers, key, ..."""
    found = Found([], [], [])
    for file, text in files:
        sample = text.partition("\n")[0]
        delimiter = max(",;\t", key=sample.count)
        lines = io.StringIO(text, newline=None)  # with the line ends of every system
        reader = csv.DictReader(lines, delimiter=delimiter, strict=False)
        rows = _rows(reader, file)
        columns = {_column(name): name for name in next(rows) if name}
        if "exchange" not in columns:
            raise UsageError(f"{file}:1: no column `exchange`", hint="the first line names the columns")  # fmt: skip
        for row in rows:
            where = f"{file}:{reader.line_num}"
            cells = {field: (row.get(name) or "").strip() for field, name in columns.items()}
            exchange, market = exchange_of(cells["exchange"], known)
            if exchange is None:
                found.skipped.append(f"{where}: {literals.shown(cells['exchange'])} is not supported")  # fmt: skip
                continue
            _row(cells, where, exchange, market, known, roles, found)
    return found


def _rows(reader: "csv.DictReader[str]", file: str) -> Iterator[Mapping[str, str]]:
    """The names of the columns, then the rows."""
    try:
        yield dict.fromkeys(reader.fieldnames or (), "")
        yield from reader
    except csv.Error:  # a cell of more than 128 KiB: quotes that are not closed
        where = f"{file}:{reader.reader.line_num}"
        raise UsageError(f"{where}: a cell has no end", hint="close the quotes") from None


def _row(
    cells: Mapping[str, str], where: str, exchange: str, market: str, known: Known, roles: Roles, found: Found
) -> None:  # fmt: skip
    texts = {field: _safe(cells[field]) for field in ("account", "strategy", "owner", "purpose", "label") if cells.get(field)}  # fmt: skip
    strategy = texts.pop("strategy", "") or _safe(cells.get("name", "")) or "main"
    more: dict[str, Any] = {**texts}
    if cells.get("name"):
        more["name"] = _safe(cells["name"])
    words = [word for word in re.split(r"[\s,;|/]+", cells.get("requires", "").casefold()) if word in PERMISSIONS]  # fmt: skip
    if words:
        more["requires"] = tuple(dict.fromkeys(words))
    addresses = [word for word in re.split(r"[\s,;|]+", cells.get("servers", "")) if re.fullmatch(r"[0-9a-fA-F.:]+(/\d+)?", word)]  # fmt: skip
    if addresses:
        more["servers"] = tuple(addresses)
    draft = _draft(exchange, strategy, market, known, roles, found, **more)
    references = dict(draft.credentials)
    for role in references:
        value = cells.get(role, "")
        if re.fullmatch(r"(env|file|keyring|vault):[^\s]+", value) and not literals.is_secret(
            value
        ):
            references[role] = value
        elif re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+", value):
            references[role] = f"env:{value}"
        elif value and "*" not in value:
            found.secrets.append(_exposed(draft, role, f"{where}: column {role}"))
    found.drafts.append(draft._replace(credentials=references))


_COLUMNS = {
    "connection": "name", "bot": "strategy", "subaccount": "account", "sub_account": "account",
    "permissions": "requires", "scopes": "requires", "ip": "servers", "ips": "servers", "whitelist": "servers",
}  # fmt: skip


def _column(name: str) -> str:
    low = re.sub(r"[^a-z0-9]+", "_", name.strip().casefold()).strip("_")
    return _COLUMNS.get(low) or _ROLE_OF.get(low) or low


def _safe(text: str) -> str:
    """A text of the file for a manifest: printable, one line, bounded, and no secret."""
    made = "".join(c for c in " ".join(text.split()) if c.isprintable())[:100]
    return "imported" if not made or literals.is_secret(made) else made


def _without_comments(text: str) -> str:
    """JSON without `//` and `/* */` comments and trailing commas; texts keep theirs, lines keep their numbers."""
    token = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)

    def bare(match: re.Match[str]) -> str:
        return match[0] if match[0].startswith('"') else re.sub(r"[^\n]", " ", match[0])

    plain = token.sub(bare, text)
    tail = re.compile(r'"(?:[^"\\\n]|\\.)*"|,(?=\s*[}\]])')
    return tail.sub(lambda match: match[0] if match[0].startswith('"') else " ", plain)


READERS: Mapping[str, Callable[[Files, Known, Roles], Found]] = {
    "freqtrade": freqtrade,
    "hummingbot": hummingbot,
    "env": env,
    "csv": table,
}
