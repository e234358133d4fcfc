from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import pytest
import torch
import yaml

from sfumato import api
from sfumato.batch import Column, Condition, DataSpec
from sfumato.conditions import Conditions
from sfumato.errors import SfumatoError, UsageError
from sfumato.recipe import lookup
from sfumato.runs import Run, Status, find, list_runs, named, place

SPEC = DataSpec(
    name="x", height=16, width=24, channels=3, fingerprint="abc",
    columns=(Column(name="class", kind="category", categories=("a", "b")),),
)  # fmt: skip


def made(path: Path, preset: str = "flow") -> Run:
    return Run.create(path, lookup(preset).recipe(), SPEC, "photos/")


@pytest.mark.parametrize("preset", ["dcgan", "vae", "flow", "domain"])
def test_what_is_written_is_what_is_read(tmp_path: Path, preset: str):
    run = made(tmp_path / "runs" / "one", preset)
    assert run.recipe == lookup(preset).recipe()
    assert type(run.recipe.model) is type(lookup(preset).recipe().model)
    assert run.data == SPEC and run.source == "photos/"
    assert run.status == Status() and run.name == "one" and str(run) == str(run.path)
    assert run.log() == [] and run.snapshots == []


def test_a_run_is_never_overwritten(tmp_path: Path):
    run = made(tmp_path / "one")
    before = (run.path / "recipe.yaml").read_bytes()
    with pytest.raises(UsageError, match="there is a run already.*sfumato resume"):
        made(tmp_path / "one", "vae")
    assert (run.path / "recipe.yaml").read_bytes() == before


def test_runs_are_found_by_name_and_path(tmp_path: Path):
    root = tmp_path / "runs"
    for name in ("flow-cars", "vae-cars"):
        made(root / name)
    (root / "no-run").mkdir()
    assert [run.name for run in list_runs(root)] == ["flow-cars", "vae-cars"]
    assert list_runs(tmp_path / "nowhere") == []
    assert find("flow-cars", root).path == root / "flow-cars"
    assert find(root / "vae-cars").name == "vae-cars"
    with pytest.raises(UsageError, match="no run 'flow-car'.*did you mean 'flow-cars'"):
        find("flow-car", root)
    with pytest.raises(UsageError, match="none in .* yet; start one"):
        find("flow", tmp_path / "empty")


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/flow", "a/vae"], ["flow", "vae"]),
        (["a/flow", "b/../a/flow", "a/vae"], ["flow", "vae"]),
        (["one/runs/flow", "two/runs/flow", "two/runs/vae"], ["one-flow", "two-flow", "vae"]),
        (["a/x/flow", "b/x/flow", "a/y/flow"], ["flow", "b-flow", "y-flow"]),
        (["a/flow", "b/flow", "b/a-flow"], ["a-flow", "b-flow", "a-flow-2"]),
        (["a/median", "a/dct"], ["median-2", "dct"]),
        (["a/example:flow", "a/example-flow"], ["example:flow", "example-flow-2"]),  # one file's name
    ],
)
def test_runs_side_by_side_have_names_of_their_own(tmp_path: Path, paths: list[str], names: list[str]):
    found = named([Run(tmp_path / path) for path in paths], taken=["median"])
    assert list(found) == names
    assert named(found.values(), taken=["median"]) == found


def test_a_bare_name_lives_under_runs():
    assert place("first") == Path("runs/first")
    assert place("a/b") == Path("a/b")
    assert place("/tmp/x") == Path("/tmp/x")
    assert place("porträts 2") == Path("runs/porträts 2")
    for folder in ("/data/2026-11-22T10:30/runs/x", f"/{'deep/' * 60}x"):
        assert place(folder) == Path(folder), "only the last name is new"


@pytest.mark.parametrize("name", ["", ".", "..", "a\nb", "a\0b", "x" * 201, "what?", "a:b", " "])
def test_names_that_are_no_folders_are_refused(name: str):
    with pytest.raises(UsageError, match="--run"):
        place(name)


def test_remove(tmp_path: Path):
    run = made(tmp_path / "one")
    run.remove()
    assert not run.path.exists()


def test_a_run_is_renamed_in_its_folder(tmp_path: Path):
    run = made(tmp_path / "one")
    made(tmp_path / "two")
    renamed = api.rename(run, "a new name")
    assert renamed.path == tmp_path / "a new name" and renamed.source == "photos/"
    assert [found.name for found in list_runs(tmp_path)] == ["a new name", "two"]
    for name in ("two", "../three", "sub/three", "..", "", " ", 'a"b', str(tmp_path / "three"), "example:x"):
        with pytest.raises(UsageError):
            api.rename(renamed, name)
    with renamed.locked(), pytest.raises(UsageError, match="in use by process"):
        api.rename(renamed.path, "three")
    assert renamed.path.is_dir() and not (tmp_path.parent / "three").exists()


def test_a_note_is_kept_until_it_is_emptied(tmp_path: Path):
    run = made(tmp_path / "one")
    assert run.note == ""
    run.write_note("  the one for <b>the poster</b>\nέξι ")
    assert run.note == "the one for <b>the poster</b>\nέξι"
    with pytest.raises(UsageError, match="10,001"):
        run.write_note("x" * 10_001)
    assert run.note.startswith("the one")
    run.write_note(" \n")
    assert run.note == "" and not (run.path / "note.txt").exists()
    run.write_note("")


def test_only_one_holds_a_run(tmp_path: Path):
    run = made(tmp_path / "one")
    assert not run.in_use()
    with run.locked():
        assert run.in_use()
        run.write_status(Status(state="training", images=8))
        assert run.status.state == "training"
        with pytest.raises(UsageError, match=f"in use by process {os.getpid()} on "), run.locked():
            pass
        with pytest.raises(UsageError, match="in use"):
            run.remove()
    assert not run.in_use()
    assert run.status.state == "stopped", "nobody breathes any more"
    assert run.status.images == 8


def test_looking_does_not_disturb_starting(tmp_path: Path):
    """`in_use` holds the lock for an instant; who starts just then waits for it."""
    import threading

    run, stop, errors = made(tmp_path / "one"), threading.Event(), []

    def look() -> None:
        while not stop.is_set():
            run.in_use()

    watchers = [threading.Thread(target=look) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    try:
        for _ in range(30):
            with run.locked():
                pass
    except UsageError as error:
        errors.append(error)
    finally:
        stop.set()
        for watcher in watchers:
            watcher.join()
    assert not errors


def test_the_log_is_rewound_to_where_a_resume_began(tmp_path: Path):
    run = made(tmp_path / "one")
    for event, images in (
        ("start", 0), ("loss", 8), ("checkpoint", 8), ("loss", 16), ("loss", 24),
        ("start", 8), ("loss", 16), ("rollback", 8), ("loss", 16),
        ("loss", 24),
    ):  # fmt: skip
        run.append_log({"event": event, "images": images})
    assert [(e["event"], e["images"]) for e in run.log()] == [
        ("start", 0), ("loss", 8), ("checkpoint", 8), ("start", 8), ("rollback", 8), ("loss", 16),
        ("loss", 24),
    ]  # fmt: skip
    assert [e["images"] for e in run.log("loss")] == [8, 16, 24]


def test_half_a_line_in_the_log_costs_only_itself(tmp_path: Path):
    run = made(tmp_path / "one")
    run.append_log({"event": "loss", "images": 8})
    with open(run.path / "log.jsonl", "a") as file:
        file.write('{"event":"loss","ima')
    run.append_log({"event": "start", "images": 0})
    run.append_log({"event": "loss", "images": 8})
    assert [e["event"] for e in run.log()] == ["start", "loss"]


def test_nan_never_enters_the_log(tmp_path: Path):
    run = made(tmp_path / "one")
    with pytest.raises(ValueError):
        run.append_log({"event": "loss", "value": float("nan")})
    assert run.log() == []
    (run.path / "log.jsonl").mkdir()  # as on a full disk, it cannot be written
    with pytest.raises(SfumatoError, match=r"log.jsonl: cannot be written"):
        run.append_log({"event": "loss"})


def test_another_schema_is_refused(tmp_path: Path):
    run = made(tmp_path / "one")
    values = yaml.safe_load((run.path / "recipe.yaml").read_text())
    for version in (0, 2, None):
        (run.path / "recipe.yaml").write_text(yaml.safe_dump(values | {"schema_version": version}))
        with pytest.raises(SfumatoError, match=f"schema version {version}.*reads 1.*environment.json names"):
            _ = run.recipe


@pytest.mark.parametrize("text", ["", "just words", "a: [", "- 1\n- 2", "\xff\xfe"])
def test_a_broken_recipe_is_named(tmp_path: Path, text: str):
    run = made(tmp_path / "one")
    (run.path / "recipe.yaml").write_text(text, encoding="latin-1")
    with pytest.raises(SfumatoError, match=r"recipe.yaml"):
        _ = run.recipe


def test_an_edited_recipe_is_checked(tmp_path: Path):
    run = made(tmp_path / "one")
    values = yaml.safe_load((run.path / "recipe.yaml").read_text())
    values["model"]["widht"] = 32
    (run.path / "recipe.yaml").write_text(yaml.safe_dump(values))
    with pytest.raises(UsageError, match="no key 'widht'.*did you mean 'width'"):
        _ = run.recipe


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"state": "dancing"}'])
def test_a_broken_status_is_named(tmp_path: Path, text: str):
    run = made(tmp_path / "one")
    (run.path / "status.json").write_text(text)
    with pytest.raises(SfumatoError, match="status.json"):
        _ = run.status


class Bomb:
    def __reduce__(self):
        return os.system, ("touch exploded",)


def test_a_pickle_is_never_opened(tmp_path: Path, monkeypatch):
    """Row 8: conditions.safetensors that is a pickle, or a TorchScript archive."""
    monkeypatch.chdir(tmp_path)
    run = made(tmp_path / "one")
    path = run.path / "conditions.safetensors"
    for content in (pickle.dumps(Bomb()), b"PK\x03\x04" + b"\0" * 200, b"", b"\xff" * 64):
        path.write_bytes(content)
        with pytest.raises(SfumatoError, match="not a safetensors file"):
            Conditions.load(path)
    torch.save({"values": torch.zeros(1)}, path)
    with pytest.raises(SfumatoError, match="not a safetensors file"):
        Conditions.load(path)
    assert not (tmp_path / "exploded").exists()


def test_conditions_are_drawn_by_seed(tmp_path: Path):
    rows = Conditions(Condition(torch.arange(12.0).view(6, 2), torch.ones(6, 2)))
    rows.save(tmp_path / "c.safetensors")
    again = Conditions.load(tmp_path / "c.safetensors")
    one = again.draw([5, 6, 7])
    assert torch.equal(one.values, rows.draw([5, 6, 7]).values)
    assert torch.equal(one.values[1:2], again.draw([6]).values)
    assert len({tuple(v.tolist()) for v in again.draw(range(50)).values}) > 3


def test_environment_is_recorded(tmp_path: Path):
    from sfumato.runs import environment

    run = made(tmp_path / "one")
    environment.write(run, torch.device("cpu"))
    facts = json.loads((run.path / "environment.json").read_text())
    assert facts["device"] == "cpu" and facts["data"] == "abc"
    assert torch.__version__.startswith(facts["packages"]["torch"].split("+")[0])
