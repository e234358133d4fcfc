from __future__ import annotations

import pytest
import torch

from sfumato.batch import Column, Condition, DataSpec
from sfumato.conditions import Conditions, parse_wish, quoted, wished
from sfumato.errors import UsageError

DATA = DataSpec(
    name="photos", height=16, width=16, channels=3,
    columns=(
        Column(name="smiling", kind="binary"),
        Column(name="class", kind="category", categories=("boot", "bag", "coat")),
        Column(name="age", kind="number", mean=40, std=10),
    ),
)  # fmt: skip


def rows(*entries: list[float]) -> Conditions:
    values = torch.tensor(entries)
    return Conditions(Condition(values, torch.ones_like(values)))


@pytest.mark.parametrize(
    ("text", "values", "known"),
    [
        ("smiling=1", [1, 0, 0, 0, 0], [1, 0, 0, 0, 0]),
        ("smiling = no", [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]),
        ("class=bag", [0, 0, 1, 0, 0], [0, 1, 1, 1, 0]),
        ("coat", [0, 0, 0, 1, 0], [0, 1, 1, 1, 0]),
        ("age=55,smiling=yes", [1, 0, 0, 0, 1.5], [1, 0, 0, 0, 1]),
    ],
)
def test_wishes(text, values, known):
    wish = parse_wish(DATA, text)
    assert wish.row.values[0].tolist() == values and wish.row.known[0].tolist() == known


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("smilling=1", "did you mean 'smiling'?"),
        ("booot", "did you mean 'boot'?"),
        ("class=bags", "did you mean 'bag'?"),
        ("smiling=maybe", "write 1 or 0"),
        ("age=old", "write for example age=40"),
        ("age=nan", "is a number"),
        ("age=1e99", "is a number"),
        ("smiling=1,smiling=0", "asks twice for smiling"),
        ("boot,class=bag", "asks twice for class"),
        ("", "write COLUMN=VALUE, for example smiling=1"),
        (",,", "write COLUMN=VALUE"),
        ("=1", "there is no label ''"),
    ],
)
def test_wishes_that_cannot_be_read(text, said):
    with pytest.raises(UsageError, match=said.replace("?", r"\?")):
        parse_wish(DATA, text)


CROWDED = DataSpec(
    name="odd", height=16, width=16, channels=3,
    columns=(
        Column(name="hat, red", kind="binary"), Column(name="a=b", kind="binary"),
        Column(name="kind", kind="category", categories=("boot, ankle", 'dish 6"', "x=y")),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('"hat, red"=1', [1, 0, 0, 0, 0]),
        (' "a=b" = 1 , "hat, red"=1', [1, 1, 0, 0, 0]),
        ('kind="boot, ankle",a=b=1', None),
        ('kind="boot, ankle"', [0, 0, 1, 0, 0]),
        ('"boot, ankle"', [0, 0, 1, 0, 0]),
        ('kind=dish 6"', [0, 0, 0, 1, 0]),
        ('"x=y"', [0, 0, 0, 0, 1]),
        ("kind=x=y", [0, 0, 0, 0, 1]),
    ],
)
def test_names_with_commas_stand_in_quotes(text, values):
    if values is None:
        with pytest.raises(UsageError, match="there is no label 'a'"):
            parse_wish(CROWDED, text)
    else:
        assert parse_wish(CROWDED, text).row.values[0].tolist() == values


def test_what_is_written_is_read():
    wishes = {"hat, red": "1", "a=b": "0", "kind": "boot, ankle", "plain": "2.5"}
    text = ",".join("=".join(map(quoted, pair)) for pair in wishes.items())
    assert dict(wished(text)) == wishes and quoted("smiling") == "smiling"


def test_data_without_labels_grant_nothing():
    with pytest.raises(UsageError, match="has no labels"):
        parse_wish(DATA.model_copy(update={"columns": ()}), "smiling=1")
    plain = DATA.model_copy(update={"columns": DATA.columns[:1]})
    with pytest.raises(UsageError, match="has no classes; write for example smiling=1"):
        parse_wish(plain, "boot")


def test_what_is_not_asked_for_comes_from_images_that_have_what_is():
    there = rows([1, 1, 0, 0, 0.5], [1, 1, 0, 0, -0.5], [0, 0, 1, 0, 2.0], [0, 0, 0, 1, 3.0])
    found = there.where(parse_wish(DATA, "smiling=1"), range(40))
    assert set(found.values[:, 4].tolist()) == {0.5, -0.5} and (found.values[:, 1] == 1).all()
    found = there.where(parse_wish(DATA, "smiling=0,age=50"), range(40))
    assert (found.values[:, 4] == 1).all() and (found.values[:, 1] == 0).all()


def test_what_no_image_has_is_imposed():
    there = rows([1, 1, 0, 0, 0.5], [0, 0, 1, 0, 2.0])
    found = there.where(parse_wish(DATA, "smiling=1,class=bag"), range(20))
    assert (found.values[:, :4] == torch.tensor([1.0, 0, 1, 0])).all()
    assert set(found.values[:, 4].tolist()) == {0.5, 2.0}


def test_unknown_labels_do_not_agree_with_a_wish():
    values = torch.tensor([[0.0, 0, 0, 0, 1.0], [0, 1, 0, 0, 2.0]])
    known = torch.tensor([[0.0, 0, 0, 0, 1], [1, 1, 1, 1, 1]])
    found = Conditions(Condition(values, known)).where(parse_wish(DATA, "smiling=0"), range(20))
    assert set(found.values[:, 4].tolist()) == {2.0}
    assert (found.known[:, 0] == 1).all()


def test_a_seed_gets_the_same_labels_alone():
    there = rows(*[[k % 2, 1, 0, 0, k / 10] for k in range(30)])
    wish = parse_wish(DATA, "smiling=1")
    together = there.where(wish, range(5, 9))
    assert torch.equal(there.where(wish, [7]).values[0], together.values[2])
