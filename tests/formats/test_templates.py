"""Templates of the user: the documented context is the real one; mistakes name their place."""

import json
from collections.abc import Mapping
from datetime import date, datetime

import jsonschema_rs
import pytest
from jinja2 import TemplateNotFound

from bfaudit import schemas
from bfaudit.errors import InvalidInput, UsageError
from bfaudit.formats import FORMATS, Options, html, markdown
from bfaudit.formats.context import CONTEXTS, members, schema, structured
from tests.cli.harness import ROOT
from tests.report.samples import HOSTILE, SAMPLES, failing, hostile

FILE = ROOT / "bfaudit" / "schemas" / "template-context.schema.json"
DOCS = ROOT / "docs" / "templates.md"


def plain(value):
    """A context as JSON: what a template can reach, and nothing else."""
    if structured(type(value)):
        return {name: plain(getattr(value, name)) for name, _ in members(type(value))}
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, str):
        return value.encode("utf-16", "replace").decode("utf-16")
    return value


def test_the_schema_is_that_of_the_code(request):
    """Made from the types; `pytest --snapshot-update` writes it anew."""
    if request.config.option.update_snapshots:
        FILE.write_text(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n", "utf-8")
        schemas.load.cache_clear()

    assert schema() == schemas.load("template-context")


@pytest.mark.parametrize("sample", list(SAMPLES))
def test_contexts_fit_their_schema(sample, monkeypatch):
    """What each template is really given."""
    given = []
    for module in (html, markdown):
        monkeypatch.setattr(module, "fill", lambda _, context: given.append(context) or "")
    FORMATS["html"].render(SAMPLES[sample](), Options())
    FORMATS["markdown"].render(SAMPLES[sample](), Options())
    validator = jsonschema_rs.Draft202012Validator(schemas.load("template-context"))
    kinds = {kind: name for name, kind in CONTEXTS.items()}

    assert set(CONTEXTS) == {kinds[type(context)] for context in given}
    for context in given:
        validator.validate({kinds[type(context)]: plain(context)})


def documented(text):
    """The documentation, with the tables of what templates are given made anew."""
    definitions = schema()["$defs"]
    for name, kind in CONTEXTS.items():
        told = definitions[f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"]["properties"]
        rows = [f"| `{field}` | {says['description']} |" for field, says in told.items()]
        table = "\n".join(["| Name | |", "|---|---|", *rows])
        start, _, rest = text.partition(f"<!-- {name} -->\n")
        text = f"{start}<!-- {name} -->\n{table}\n<!-- end -->{rest.partition('<!-- end -->')[2]}"
    return text


def test_every_name_is_documented(request):
    """docs/templates.md names each value that a template is given; `pytest --snapshot-update` writes it anew."""
    text = DOCS.read_text("utf-8")
    if request.config.option.update_snapshots:
        DOCS.write_text(text := documented(text), "utf-8")

    assert documented(text) == text


def test_one_template_replaces_one():
    """The others stay; partials of the user's own can be included."""
    own = {
        "audit.md.j2": "{% include 'partials/mine.md.j2' %}",
        "partials/mine.md.j2": "# {{ view.verdict.headline }}\n",
    }
    text = FORMATS["markdown"].render(failing(), Options(templates=own))

    assert "# 8 findings: 2 critical, 3 high, 1 medium, 1 low and 1 info\n" == text
    assert "<footer" in FORMATS["html"].render(failing(), Options(templates=own))


def test_style_is_allowed_by_its_hash():
    """A style of the user's own is still the only one that the page allows."""
    text = FORMATS["html"].render(failing(), Options(templates={"audit.css": "body{color:red}"}))

    assert "<style>body{color:red}</style>" in text
    assert html.digest_for_policy("body{color:red}") in text


def test_texts_stay_text():
    """What strangers wrote is escaped in a user's template as in ours."""
    own = {
        "audit.html.j2": "{% for each in view.connections %}<p>{{ each.name }}</p>\n{% endfor %}",
        "audit.md.j2": "{% for each in view.connections %}- {{ each.name }}\n{% endfor %}",
    }
    page = FORMATS["html"].render(hostile(), Options(templates=own))
    comment = FORMATS["markdown"].render(hostile(), Options(templates=own))

    assert len(HOSTILE) == page.count("<p>") == len(page.strip().split("\n"))
    assert "<script" not in page + comment
    assert len(HOSTILE) == len(comment.strip().split("\n"))


@pytest.mark.parametrize(
    "text",
    [
        "{{ nope }}",
        "{{ view.nope }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ view.verdict() }}",
        "{% include 'x.j2' %}",
    ],
)
def test_mistakes_raise(text):
    """An undefined name is an error, and a template reaches values only."""
    from bfaudit.cli.templates import blamed

    with pytest.raises(Exception, match=r".") as raised:
        FORMATS["markdown"].render(failing(), Options(templates={"audit.md.j2": text}))

    mistake = blamed(raised.value, "own")
    assert isinstance(mistake, InvalidInput)
    assert mistake.problems[0].place.file.startswith("own/")


@pytest.mark.parametrize(
    "how", ["include '{}'", "import '{}' as x", "extends '{}'", "from '{}' import x"]
)
@pytest.mark.parametrize("up", ["", "../" * 20, "partials/" + "../" * 20])
def test_no_template_leads_to_other_files(tmp_path, how, up):
    """A template may be somebody else's: it reaches templates, and no file of the host."""
    path = tmp_path / "environ.txt"
    path.write_text("a-secret-of-the-host")
    name = f"{up}{str(path).lstrip('/')}" if up else str(path)
    own = {"audit.md.j2": f"{{% {how.format(name)} %}}"}

    with pytest.raises(TemplateNotFound):
        FORMATS["markdown"].render(failing(), Options(templates=own))


class TestFolder:
    """What `--template` takes."""

    @pytest.mark.parametrize("name", ["audit.css", "audit.md.j2"])
    def test_a_link_out_of_it_is_refused(self, tmp_path, name):
        """What a link leads to would stand in the report."""
        (tmp_path / "secret").write_text("a-secret-of-the-host")
        (tmp_path / "own").mkdir()
        (tmp_path / "own" / name).symlink_to(tmp_path / "secret")
        with pytest.raises(UsageError) as raised:
            self.read(tmp_path / "own")

        assert "lies outside" in raised.value.message
        assert "a-secret" not in str(raised.value)

    def test_what_is_no_text_is_refused(self, tmp_path):
        """In words, with the file's name."""
        (tmp_path / "audit.md.j2").write_bytes(b"\xff")
        with pytest.raises(UsageError, match=r"audit\.md\.j2: not UTF-8 text"):
            self.read(tmp_path)

    def read(self, folder, **files):
        from bfaudit.cli.templates import read

        for name, text in files.items():
            path = folder / name.replace("__", "/").replace("_j2", ".j2").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return read(str(folder))

    def test_reads_templates_by_name(self, tmp_path):
        """Anything else in the folder is not looked at."""
        (tmp_path / "README.md").write_text("x")
        found = self.read(tmp_path, audit_md_j2="x", partials__names_md_j2="y", audit_css="z")

        assert {"audit.md.j2": "x", "partials/names.md.j2": "y", "audit.css": "z"} == found

    def test_a_misspelt_name_is_refused(self, tmp_path):
        """It would never be used."""
        with pytest.raises(UsageError) as raised:
            self.read(tmp_path, audti_md_j2="x")

        assert "audit.md.j2" in raised.value.hint

    def test_nothing_to_use(self, tmp_path):
        """No folder, or none with a template in it."""
        with pytest.raises(UsageError):
            self.read(tmp_path)
        with pytest.raises(UsageError):
            self.read(tmp_path / "none")

    def test_a_mistake_of_spelling_names_its_line(self, tmp_path):
        """Before anything is scanned."""
        with pytest.raises(InvalidInput) as raised:
            self.read(tmp_path, audit_md_j2="x\n{% if %}")

        assert 2 == raised.value.problems[0].place.line
