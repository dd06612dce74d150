"""The catalogues: complete, in step with the source, and compiled from what is committed."""

import re
from gettext import GNUTranslations

import pytest
from babel.messages.pofile import read_po

from bfaudit.lang import codes, language
from tools import messages

GRAMMAR = {"{verb}"}
"""Places in an English sentence that another language may have no use for."""

FILES = {file.parts[-3]: file for file in messages.catalogues()}


@pytest.fixture(scope="module")
def template():
    """All that is to be translated."""
    return messages.collected()


@pytest.fixture(params=sorted(FILES))
def catalogue(request):
    """A catalogue as it is committed."""
    with FILES[request.param].open("rb") as stream:
        return read_po(stream, locale=request.param)


def texts(value):
    """A message or its translation, by plural form."""
    return [text or "" for text in value] if isinstance(value, (tuple, list)) else [value or ""]


def test_every_folder_is_a_language():
    """What is translated can be chosen."""
    assert ("en", *sorted(FILES)) == codes()
    assert "fi" in codes()


def test_nothing_is_missing(catalogue, template):
    """Every text of the source is in the catalogue and translated; `make messages` names what is not."""
    told = {
        (one.context, *texts(one.id))
        for one in catalogue
        if one.id and not one.fuzzy and all(texts(one.string))
    }
    wanted = {(one.context, *texts(one.id)) for one in template if one.id}

    assert set() == wanted - told
    assert set() == told - wanted, "no longer in the source: make messages"


def test_values_go_where_they_go(catalogue):
    """A translation has the same places for values as its message, in every plural form."""
    slots = re.compile(r"\{[\w.]*\}")
    wrong = [
        (one.id, text)
        for one in catalogue
        if one.id
        for text in texts(one.string)
        if set(slots.findall(text)) != set(slots.findall(texts(one.id)[0])) - GRAMMAR
        and set(slots.findall(text)) != set(slots.findall(texts(one.id)[-1])) - GRAMMAR
    ]

    assert [] == wrong


def test_edges_are_kept(catalogue):
    """Spaces at the ends, and what a sentence ends with, are the source's: texts are joined to others."""

    def edges(text):
        return text[:1] in " ,", text[-1:].isspace(), text.rstrip()[-1:] in ".?"

    assert [] == [
        (one.id, text)
        for one in catalogue
        if one.id and one.context != "thousands separator"
        for text in texts(one.string)
        if edges(text) != edges(texts(one.id)[0])
    ]


def test_a_translation_brings_no_markup(catalogue):
    """A message is put into a page as it is, so it may hold no element that the source has not."""
    marks = re.compile(r"[<>&`$]")

    assert [] == [
        (one.id, text)
        for one in catalogue
        if one.id
        for text in texts(one.string)
        if sorted(marks.findall(text)) != sorted(marks.findall(texts(one.id)[0]))
    ]


@pytest.mark.parametrize("code", sorted(FILES))
def test_the_compiled_one_says_the_same(code, catalogue):
    """The `.mo` that is shipped is made from the `.po` that is read."""
    with FILES[code].with_suffix(".mo").open("rb") as stream:
        compiled = GNUTranslations(stream)

    for one in catalogue:
        if not one.id:
            continue
        forms = texts(one.string)
        first, last = texts(one.id)[0], texts(one.id)[-1]
        if len(forms) > 1:
            assert forms == [compiled.ngettext(first, last, number) for number in (1, 2)]
        elif one.context:
            assert forms[0] == compiled.pgettext(one.context, first)
        else:
            assert forms[0] == compiled.gettext(first)


def test_one_word_has_one_translation(catalogue):
    """What a word of the glossary is called does not change between its contexts."""
    told = {}
    for one in catalogue:
        if one.id and one.context in (None, "sentence") and isinstance(one.id, str):
            told.setdefault(one.id, set()).add(one.string)

    assert {} == {message: said for message, said in told.items() if len(said) > 1}


def test_an_unknown_language_is_an_error():
    """It is no English in disguise."""
    with pytest.raises(KeyError):
        language("xx")
