"""`sfumato explore` and `sfumato score`: what they write, what carries what, what is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfumato import api
from sfumato.errors import UsageError
from sfumato.imaging.film import read_record
from sfumato.runs import Run


def pixels(path: str | Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def count(path: Path) -> int:
    with Image.open(path) as image:
        return getattr(image, "n_frames", 1)


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """A picture of another size and mode, with a name made to be misread."""
    path = tmp_path / "me; [bold]<b>'ünï\n\".png"
    random = np.random.default_rng(3)
    Image.fromarray(random.integers(0, 256, (30, 40, 4), np.uint8)).save(path)
    return path


def test_what_a_run_can_do(sfumato, trained: Run):
    listed = sfumato("explore", trained.path, "--json")
    assert listed.code == 0, listed.err
    assert {"interpolate", "walk", "attributes", "project"} <= set(listed.json) and all(listed.json.values())
    assert (
        "trajectory" not in listed.json and "guidance" not in listed.json and "truncation" not in listed.json
    )
    shown = sfumato("explore", trained.path)
    assert shown.code == 0 and "a random walk" in shown.out and "next: sfumato explore" in shown.out


def test_a_film_carries_how_to_make_it_again(sfumato, trained: Run, tmp_path: Path):
    made = sfumato(
        "explore", trained.path, "interpolate", "--seeds", "0,7,12", "--frames", 4, "--loop", "--where",
        "class=1", "--out", "a.webp", "--json", "--quiet", "--device", "cpu",
    )  # fmt: skip
    assert made.code == 0, made.err
    assert made.json["images"] == made.json["columns"] == count(Path("a.webp")) == 12
    record = read_record(Path("a.webp"))
    assert record == made.json["recipe"] and record["seeds"] == [0, 7, 12] and record["run"] == "vae-small"
    assert record["options"] == {"frames": 4, "loop": True, "where": ["class=1"]}
    assert len(record["weights"]) == 64
    beside = json.loads(Path("a.webp.json").read_text())
    assert beside["made"] == made.json["made"] and len(beside["made"]) == 12
    assert {key: beside[key] for key in record} == record
    again = api.explore(
        trained, record["kind"], seeds=record["seeds"], out="b.webp", device="cpu", **record["options"]
    )
    assert Path("a.webp").read_bytes() == Path("b.webp").read_bytes() and len(again.frames) == 12
    drawn = api.sample(trained, 1, 7, where=["class=1"], device="cpu")
    assert abs(again.frames[4].astype(int) - drawn[0]).max() <= 1


@pytest.mark.parametrize(
    ("words", "rows", "columns"),
    [
        (("variations", "--seeds", "3", "-n", "5", "--strength", "0.2"), 1, 5),
        (("walk", "--frames", "6"), 1, 6),
        (("grid", "-n", "3"), 3, 3),
        (("showcase", "-n", "10", "--seeds", "5"), 1, 10),
        (("timelapse", "--seeds", "0-2"), 3, 2),
        (("attributes", "--frames", "2"), 1, 3),
        (("nearest", "-n", "2", "--seeds", "0,1"), 2, 3),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
@pytest.mark.parametrize("suffix", [".png", ".gif"])
def test_every_kind(sfumato, trained: Run, words, rows, columns, suffix):
    out = Path(f"out/{words[0]}{suffix}")
    made = sfumato("explore", trained.path, *words, "--out", out, "--json", "--quiet", "--device", "cpu")
    assert made.code == 0, made.err
    assert made.json["columns"] == columns and made.json["images"] == rows * columns == len(made.json["made"])
    assert count(out) == (1 if suffix == ".png" else columns)
    assert min(pixels(out).shape[:2]) >= 256 and pixels(out).std() > 5
    record = read_record(out)
    assert record["kind"] == words[0]
    if suffix == ".png":
        again = Path("again.png")
        api.explore(
            trained, record["kind"], seeds=record["seeds"], out=again, device="cpu", **record["options"]
        )
        assert out.read_bytes() == again.read_bytes()


def test_a_showcase_is_what_sample_draws(trained: Run):
    shown = api.explore(trained, "showcase", seeds=[4], n=6, device="cpu")
    drawn = api.sample(trained, 6, 4, device="cpu")
    np.testing.assert_array_equal(shown.frames, drawn)
    assert shown.path is None and [one["seed"] for one in shown.made] == [4, 5, 6, 7, 8, 9]


def test_nearest_finds_a_copy(trained: Run):
    """The distances are those of pixels, and the files are named."""
    found = api.explore(trained, "nearest", seeds=[0], n=3, device="cpu")
    drawn, nearest = found.frames[0].astype(float), found.frames[1:].astype(float)
    away = np.sqrt(((nearest - drawn) ** 2).mean(axis=(1, 2, 3)))
    mirrored = np.sqrt(((nearest - drawn[:, ::-1]) ** 2).mean(axis=(1, 2, 3)))
    named = [one["distance"] for one in found.made[1:]]
    np.testing.assert_allclose(named, np.minimum(away, mirrored), atol=0.01)
    assert named == sorted(named)
    from sfumato.data.prepare import prepare

    prepared = prepare(trained.source, trained.recipe.data)
    rows = prepared.images[prepared.train].astype(float)
    both = np.minimum(
        ((rows - drawn) ** 2).mean(axis=(1, 2, 3)), ((rows - drawn[:, ::-1]) ** 2).mean(axis=(1, 2, 3))
    )
    assert named[0] == pytest.approx(float(np.sqrt(both.min())), abs=0.01)


def test_a_photograph_is_projected_and_changed(sfumato, trained: Run, photograph: Path):
    words = ("--image", photograph, "--where", "class=0", "--where", "2", "--out", "p.png")
    made = sfumato("explore", trained.path, "project", *words, "--json", "--quiet", "--device", "cpu")
    assert made.code == 0, made.err
    assert made.json["columns"] == made.json["images"] == 4
    assert [one["shown"] for one in made.json["made"]] == ["photograph", "projection", "class=0", "2"]
    recipe = made.json["recipe"]
    assert recipe["options"]["images"] == [photograph.name], "a name, not a place"
    again = api.explore(trained, "project", seeds=recipe["seeds"], device="cpu", **recipe["options"])
    assert again.made == tuple(made.json["made"]), "made again where the file is"
    told = sfumato("explore", trained.path, "attributes", "--image", photograph, "--out", "a.png", "--quiet")
    assert told.code == 0 and "5 images (1 x 5) in a.png" in told.out


def test_directions_say_what_they_are_worth(sfumato, trained: Run, short_ruler):
    words = ("--label", "class=1", "--seeds", "0,1", "--frames", 3, "--out", "d.png")
    made = sfumato("explore", trained.path, "directions", *words, "--json", "--quiet", "--device", "cpu")
    assert made.code == 0, made.err
    assert made.json["columns"] == 3 and made.json["images"] == 6
    assert "0.5 is guessing" in made.json["notes"][0] and "class=1" in made.json["notes"][0]
    assert (
        abs(
            api.sample(trained, 2, device="cpu").astype(int)
            - api.explore(
                trained, "directions", seeds=[0, 1], frames=3, label="class=1", device="cpu"
            ).frames[[1, 4]]
        ).max()
        <= 1
    )


def test_scores(sfumato, trained: Run, photograph: Path, tmp_path: Path):
    from sfumato.data.prepare import prepare

    prepared = prepare(trained.source, trained.recipe.data)
    paths = []
    for row in prepared.train[:20]:
        paths.append(tmp_path / f"{row}.png")
        Image.fromarray(prepared.images[row]).save(paths[-1])
    words = ("--csv", "s.csv", "--json", "--quiet", "--device", "cpu")
    found = sfumato("score", trained.path, *paths, photograph, *words)
    assert found.code == 0, found.err
    assert [one["image"] for one in found.json] == [str(path) for path in (*paths, photograph)]
    assert {one["measure"] for one in found.json} == {"bound in nats"}
    assert {one["n_training"] for one in found.json} == {len(prepared.train)}
    ranks = [one["percentile"] for one in found.json[:20]]
    assert len(set(ranks)) == 20 and 25 < np.mean(ranks) < 75 and max(ranks) - min(ranks) > 50
    with open("s.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["score"]) for row in rows] == [one["score"] for one in found.json]
    table = sfumato("score", trained.path, photograph, "--quiet", "--device", "cpu")
    assert table.code == 0 and "bound in nats" in table.out and "[bold]<b>" in table.out
    arrays = api.score(trained, [prepared.images[prepared.train[0]]], device="cpu")
    assert arrays[0].score == pytest.approx(found.json[0]["score"], rel=1e-4)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("wlak",), ("no kind 'wlak'", "did you mean 'walk'")),
        (("trajectory",), ("a vae", "cannot do 'trajectory'", "interpolate, variations, walk")),
        (("walk", "--seeds", "1,2"), ("2 seeds", "takes one")),
        (("interpolate", "--seeds", "1"), ("1 seeds", "takes 2 to 64")),
        (("walk", "--seeds", "-1"), ("--seeds '-1'", "0,7,12")),
        (("walk", "--seeds", "9999999999"), ("--seeds 9999999999", "whole number")),
        (("showcase", "--seeds", "0-5000"), ("at most 1,000",)),
        (("showcase", "--seeds", "5-2"), ("goes upwards",)),
        (("showcase", "--seeds", "²"), ("--seeds '²'",)),
        (("showcase", "-n", "0"), ("-n 0", "1 to 400")),
        (("showcase", "-n", "4", "--seeds", "1,2"), ("the seeds say how many",)),
        (("walk", "-n", "4"), ("-n means nothing to the kind walk", "--frames")),
        (("walk", "--frames", "1"), ("--frames 1", "2 to 600")),
        (("variations", "--strength", "1.5"), ("--strength 1.5", "0 to 1")),
        (("variations", "--strength", "nan"), ("--strength nan", "0 to 1")),
        (("walk", "--out", "walk.jpg"), ("--out walk.jpg", ".png, .gif, .webp or .mp4")),
        (("walk", "--out", "walk"), ("--out walk", ".png")),
        (("walk", "--milliseconds", "1"), ("--milliseconds 1", "20 to 10,000")),
        (("walk", "--where", "clas=1"), ("no label 'clas'",)),
        (("walk", "--where", "0", "--where", "1"), ("2 wishes", "takes one")),
        (("walk", "--steps", "5"), ("means nothing to a vae",)),
        (("walk", "--at", "7"), ("no snapshot after 7 images",)),
        (("timelapse", "--at", "64"), ("shows every snapshot",)),
        (("project",), ("--image FILE",)),
        (("project", "--image", "none.png"), ("none.png", "cannot be opened")),
        (("project", "--image", "."), (".", "cannot be opened")),
        (("project", "--image", "x.txt"), ("x.txt", "the content is text")),
        (("project", "--image", "tiny.png"), ("tiny.png: 4x4 pixels", "at least 8")),
        (("project", "--image", "x.txt", "--seeds", "1"), ("one or the other",)),
        (("project", "--image", "x.txt", "--method", "magic"), ("--method 'magic'", "encode")),
        (("attributes", "--method", "encode"), ("--method", "--image")),
        (("directions",), ("--label",)),
        (("directions", "--label", "smilin"), ("no label 'smilin'",)),
        (("walk", "--set", "sampling.stesp=3"), ("no key",)),
        (("walk", "--device", "gpu"), ("--device 'gpu'",)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_explored(sfumato, trained: Run, tmp_path: Path, words, said):
    (tmp_path / "x.txt").write_text("not an image")
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "tiny.png")
    before = sorted(tmp_path.rglob("*"))
    found = sfumato("explore", trained.path, *words)
    assert found.code == 2 and found.out == "" and "Traceback" not in found.err, found.err
    last = found.err.strip().splitlines()[-1]
    assert last.startswith("sfumato: ") and all(word in last for word in said), last
    assert sorted(tmp_path.rglob("*")) == before, "something was written"


def test_images_in_the_place_of_a_file_and_a_full_name(sfumato, trained: Run, tmp_path: Path):
    (tmp_path / "a.gif").mkdir()
    found = sfumato("explore", trained.path, "walk", "--out", "a.gif")
    assert found.code == 2 and "is a folder" in found.err
    long = sfumato("explore", trained.path, "walk", "--frames", 2, "--quiet", "--out", "ä" * 200 + ".gif")
    assert long.code == 1 and "File name too long" in long.err and "Traceback" not in long.err


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((16, 16, 4), np.uint8), r"uint8 \[16, 16, 4\].*makes uint8 \[16, 16, 3\]"),
        (np.zeros((32, 32, 3), np.uint8), r"\[32, 32, 3\].*makes uint8 \[16, 16, 3\]"),
        (np.zeros((16, 16, 3), np.float32), r"float32"),
        (np.zeros((16, 16), np.uint8), r"\[16, 16\]"),
        ("a\0b.png", "no file has such a name"),
    ],
)
def test_arrays_of_another_size_or_mode(trained: Run, image, said):
    with pytest.raises(UsageError, match=said):
        api.score(trained, [image], device="cpu")
    with pytest.raises(UsageError, match=said):
        api.explore(trained, "project", images=[image], device="cpu")


@pytest.mark.parametrize("seeds", [[True, 2], [1.5, 2], ["1", 2], [-1, 2], [2**31, 0]])
def test_seeds_that_are_none(trained: Run, seeds):
    with pytest.raises(UsageError, match="a seed is a whole number"):
        api.explore(trained, "interpolate", seeds=seeds, device="cpu")


@pytest.mark.parametrize(
    "words", [("explore", "none", "walk"), ("explore", "none"), ("score", "none", "x.png")]
)
def test_a_run_that_is_not_there(sfumato, words):
    found = sfumato(*words)
    assert found.code == 2 and "there is no run 'none'" in found.err


@pytest.mark.parametrize(("words", "said"), [
    (("none.png",), "none.png: cannot be opened"), (("--where", "clas=1", "none.png"), "no label 'clas'"),
])  # fmt: skip
def test_what_cannot_be_scored(sfumato, trained: Run, words, said):
    found = sfumato("score", trained.path, *words)
    assert found.code == 2 and said in found.err and found.out == "" and "Traceback" not in found.err


@pytest.mark.parametrize("verb", ["explore", "score"])
def test_help_shows_examples(sfumato, verb):
    found = sfumato(verb, "--help")
    assert found.code == 0 and f"sfumato {verb}" in found.out and "Examples:" in found.out
    assert all(flag in found.out for flag in ("--json", "--quiet", "--debug"))


def test_every_kind_is_documented(repository: Path):
    from sfumato.exploration.kinds import KINDS

    page = (repository / "docs" / "explore.md").read_text("utf-8")
    assert all(f" {name}" in page and f"## {name}" in page for name in KINDS)
