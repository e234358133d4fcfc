from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sfumato.data.columns import encode, infer_kind
from sfumato.data.settings import DataConfig
from sfumato.data.sources import open_source
from sfumato.data.sources.source import RawColumn
from sfumato.errors import UsageError


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["0", "1", ""], "binary"),
        (["-1", "1"], "binary"),
        (["Yes", "no", "YES"], "binary"),
        (["true", "False"], "binary"),
        (["1.0", "0"], "binary"),
        (["1", "1"], "binary"),
        (["0", "1", "2"], "category"),
        (["0", "-1", "1"], "category"),
        ([str(age) for age in range(13)], "number"),
        ([str(age) for age in range(12)], "category"),
        (["0.5", "1.25"], "number"),
        (["red", "green", ""], "category"),
        (["yes", "maybe"], "category"),
        (["inf", "1"], "category"),
        (["1_0", "2_0"], "category"),
        (["", "nan", "N/A"], None),
        ([f"caption {k}" for k in range(60)], None),
        ([f"word {k % 300}" for k in range(3000)], None),
    ],
)
def test_kinds_are_inferred_by_the_rule(cells: list[str], kind: str | None):
    assert infer_kind(cells) == kind


def test_values_and_masks():
    raw = (RawColumn("smile"), RawColumn("colour"), RawColumn("age", "number"))
    cells = [("yes", "red", "10"), ("no", "", "30"), ("", "blue", ""), ("no", "red", "99")]
    columns, values, known, notes = encode(raw, cells, np.array([0, 1, 2]))
    assert [column.kind for column in columns] == ["binary", "category", "number"]
    assert columns[1].categories == ("blue", "red")
    assert (columns[2].mean, columns[2].std) == (20, 10), "of the train split alone"
    np.testing.assert_allclose(values, [[1, 0, 1, -1], [0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 7.9]], rtol=1e-6)
    np.testing.assert_array_equal(known, [[1, 1, 1, 1], [1, 0, 0, 1], [0, 1, 1, 0], [1, 1, 1, 1]])
    assert notes == ()


def test_whole_number_categories_are_in_numeric_order():
    columns, _, _, _ = encode((RawColumn("n"),), [("10",), ("9",), ("2",)], np.arange(3))
    assert columns[0].categories == ("2", "9", "10")


def test_captions_are_left_out_with_a_note():
    cells = [(f"a dog, number {k}",) for k in range(60)]
    columns, values, known, notes = encode((RawColumn("caption"),), cells, np.arange(60))
    assert columns == ()
    assert values.shape == known.shape == (60, 0)
    assert "'caption' was left out" in notes[0]


def test_what_never_varies_is_left_out_with_a_note():
    cells = [("yes", "a"), ("", "b"), ("yes", "a")]
    columns, values, known, notes = encode((RawColumn("smiling"), RawColumn("kind")), cells, np.arange(3))
    assert [column.name for column in columns] == ["kind"] and values.shape == known.shape == (3, 2)
    assert "'smiling' was left out: it never varies (always 'yes')" in notes[0]


def test_a_constant_number_is_not_divided_by_zero():
    columns, values, _, _ = encode((RawColumn("x", "number"),), [("5",)] * 3, np.arange(3))
    assert columns[0].std == 1
    assert not values.any()


def table(root: Path, text: str, name: str = "labels.csv") -> Path:
    path = root / name
    path.write_text(text, encoding="utf-8")
    return path


def cells(root: Path, **settings) -> dict[str, tuple[str, ...]]:
    contents = open_source(str(root), DataConfig(**settings)).read()
    return {item.name: item.cells for item in contents.items}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_in_the_folder(photos, separator: str):
    root = photos(3)
    text = "\ufefffile,smile,age\n000.png,yes,3\n./002.png,,4\n\n".replace(",", separator)
    table(root, text)
    assert cells(root) == {"000.png": ("yes", "3"), "001.png": ("", ""), "002.png": ("", "4")}


def test_names_are_found_in_the_images_folder(photos):
    root = photos(2, "set/images").parent
    table(root, "file,x\n000.png,1\nimages/001.png,0\n")
    assert cells(root) == {"images/000.png": ("1",), "images/001.png": ("0",)}


def test_a_table_elsewhere(photos, tmp_path: Path):
    root = photos(2)
    path = table(tmp_path, "file,x\nphotos\\000.png,1\n".replace("photos\\", ""), "elsewhere.csv")
    assert cells(root, labels=str(path))["000.png"] == ("1",)
    with pytest.raises(UsageError, match="data.labels = .* no such file"):
        cells(root, labels="nowhere.csv")


def test_class_folders_and_a_table_together(photos):
    photos(2, "set/cat")
    photos(2, "set/dog", first=10)
    root = photos(0, "set")
    table(root, "file,tame\ncat/000.png,1\ndog\\010.png,0\n")
    assert cells(root)["cat/000.png"] == ("cat", "1")
    assert cells(root)["dog/010.png"] == ("dog", "0")
    assert cells(root)["dog/011.png"] == ("dog", "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,x\n000.png,1\n7.png,1\n8.png,0\n", "2 of 3 lines name files .*'7.png', '8.png'"),
        ("file,x\n../outside/000.png,1\n", "1 of 1 lines name files"),
        ("file,x\n000.png,1\n000.png,0\n", "line 3: '000.png' is named twice"),
        ("file,x\n000.png,1,2\n", "line 2: 3 cells where the header has 2"),
        ("000.png,1\n001.png,0\n", "first line names an image; begin with a header"),
        ("file,x,x\n000.png,1,2\n", "every column needs a name of its own"),
        ("file\n000.png\n", "at least two columns"),
        ("", "at least two columns"),
    ],
)
def test_impossible_tables_are_refused(photos, text: str, words: str):
    root = photos(2)
    table(root, text)
    with pytest.raises(UsageError, match=words):
        cells(root)


def test_another_encoding_is_refused(photos):
    root = photos(2)
    (root / "labels.csv").write_bytes("file,größe\n000.png,1\n".encode("latin-1"))
    with pytest.raises(UsageError, match="UTF-8"):
        cells(root)


def test_one_number_is_one_category():
    cells = [("1",), ("2",), ("1.0",), ("3",), ("+2",), ("01",)]
    columns, values, _, _ = encode((RawColumn("n"),), cells, np.arange(6))
    assert columns[0].categories == ("1", "2", "3") and values.sum(axis=0).tolist() == [3, 2, 1]


def test_numbers_that_hardly_vary_and_numbers_without_measure():
    cells = [("0.1",)] * 20 + [("0.2",), ("0.25",)] * 10
    columns, values, _, _ = encode((RawColumn("x", "number"),), cells, np.arange(20))
    assert columns[0].std == 1 and np.abs(values).max() < 1
    with pytest.raises(UsageError, match="1e160.*not a number"):
        encode((RawColumn("x", "number"),), [("1e160",), ("2",)], np.arange(2))


def test_classes_of_folders_keep_their_names_and_their_bounds():
    raw = RawColumn("class", "category", ("cat", "null"))
    _, values, known, _ = encode((raw,), [("cat",), ("null",), ("",)], np.arange(3))
    assert values.tolist() == [[1, 0], [0, 1], [0, 0]] and known[:, 0].tolist() == [1, 1, 0]
    many = tuple(f"person {k}" for k in range(1001))
    columns, _, _, notes = encode(
        (RawColumn("class", "category", many),), [(name,) for name in many], np.arange(9)
    )
    assert columns == () and "1001 different" in notes[0]


def test_tables_of_other_countries(photos):
    root = photos(2)
    (root / "labels.csv").write_text(
        "\n\nfile;age;name\n000.png;1,5;a\u2028b\n001.png;2;c\n", encoding="utf-8"
    )
    items = open_source(str(root), DataConfig()).read().items
    assert [item.cells for item in items] == [("1.5", "a\u2028b"), ("2", "c")]


def test_a_table_is_for_folders(tmp_path: Path):
    np.savez(tmp_path / "set.npz", images=np.zeros((4, 8, 8), np.uint8))
    for source in (str(tmp_path / "set.npz"), "portraits"):
        with pytest.raises(UsageError, match="a table is for a folder of images"):
            open_source(source, DataConfig(labels="l.csv"))


def test_labels_of_arrays_as_others_save_them(tmp_path: Path):
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8), np.uint8)
    for name, labels in {
        "column": np.array([[20], [3], [20], [7]]),
        "bytes": np.array([b"cat", b"dog"] * 2),
    }.items():
        np.savez(tmp_path / f"{name}.npz", images=images, labels=labels)
    found = {
        name: open_source(str(tmp_path / f"{name}.npz"), DataConfig()).read() for name in ("column", "bytes")
    }
    assert found["column"].columns[0].categories == ("3", "7", "20")
    assert found["bytes"].columns[0].categories == ("cat", "dog")


def test_an_archive_that_is_none(tmp_path: Path):
    np.save(tmp_path / "images.npy", np.zeros((4, 8, 8), np.uint8))
    (tmp_path / "images.npy").rename(tmp_path / "images.npz")
    with pytest.raises(UsageError, match="cannot be read .it is no archive"):
        open_source(str(tmp_path / "images.npz"), DataConfig()).read()
