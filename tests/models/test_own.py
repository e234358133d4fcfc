"""A model in a user's own file: the documented example, and everything that can be wrong with one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sfumato import api, recipe
from sfumato.errors import UsageError
from sfumato.models.own import preset_name
from sfumato.runs import Run


@pytest.fixture(autouse=True)
def only_what_ships(monkeypatch, tmp_path: Path):
    """Forget what a test registers or trusts."""
    monkeypatch.setenv("SFUMATO_CACHE", str(tmp_path / "cache"))
    known = recipe.presets()
    yield
    recipe.reset(known)


@pytest.fixture
def example(repository: Path, tmp_path: Path) -> Path:
    shutil.copy(repository / "docs/examples/my_model.py", tmp_path / "my_model.py")
    return tmp_path / "my_model.py"


def test_the_documented_example_is_short(repository: Path):
    assert len((repository / "docs/examples/my_model.py").read_text().splitlines()) < 60


def test_train_sample_forget_and_sample_again(example: Path, small_images: str, tmp_path: Path):
    known = recipe.presets()
    keys = ["training.batch_size=16", "model.width=4", "training.precision=float32"]
    where = tmp_path / "runs" / "own"
    run = api.train(str(example), data=small_images, run=where, images=320, settings=keys, device="cpu")
    assert run.status.state == "finished" and run.recipe.preset == "moments"
    assert (where / "model.py").read_bytes() == example.read_bytes()
    images = api.sample(run, 3, device="cpu")

    recipe.reset(known)  # as in another process, and without the file
    example.unlink()
    assert (api.sample(Run(where), 3, device="cpu") == images).all()


def test_code_from_elsewhere_is_not_executed_unasked(
    example: Path, small_images: str, tmp_path: Path, monkeypatch
):
    known = recipe.presets()
    where = tmp_path / "own"
    keys = ["training.batch_size=16", "model.width=4", "training.precision=float32"]
    api.train(str(example), data=small_images, run=where, images=16, settings=keys, device="cpu")
    recipe.reset(known)
    monkeypatch.setenv("SFUMATO_CACHE", str(tmp_path / "another machine"))
    with pytest.raises(UsageError, match="brings its own code.*sfumato presets"):
        _ = Run(where).recipe
    assert preset_name(where / "model.py") == "moments"
    assert Run(where).recipe.preset == "moments"
    (where / "model.py").write_text((where / "model.py").read_text() + "# changed\n")
    with pytest.raises(UsageError, match="brings its own code"):
        _ = Run(where).recipe


def test_a_file_is_executed_once(example: Path):
    assert preset_name(example) == preset_name(example) == "moments"
    assert preset_name("flow") == "flow"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n", "this one: none; end it with register"),
        ("def broken(:\n", "line 1: SyntaxError"),
        ("a = 1\nb = a / 0\n", "line 2: ZeroDivisionError"),
        ("import nothing_of_that_name\n", "line 1: ModuleNotFoundError"),
    ],
)
def test_a_file_that_does_not_work(tmp_path: Path, text, said):
    path = tmp_path / "bad.py"
    path.write_text(text)
    before = recipe.presets()
    with pytest.raises(UsageError, match=said) as caught:
        preset_name(path)
    assert str(path) in str(caught.value) and recipe.presets() == before
    assert not (tmp_path / "cache" / "trusted").exists()


def test_no_such_file(tmp_path: Path):
    with pytest.raises(UsageError, match="no such file"):
        preset_name(tmp_path / "none.py")


def test_names_that_are_taken(example: Path, tmp_path: Path):
    text = example.read_text()
    before = recipe.presets()
    (tmp_path / "hijack.py").write_text(text.replace('"moments"', '"flow"'))
    with pytest.raises(UsageError, match="there is a 'flow' already .it comes with Sfumato"):
        preset_name(tmp_path / "hijack.py")
    (tmp_path / "two.py").write_text(text + '\nregister("second", Moments, recipe)\n')
    with pytest.raises(UsageError, match="exactly one model, this one: moments, second"):
        preset_name(tmp_path / "two.py")
    assert recipe.presets() == before
    preset_name(example)
    (tmp_path / "other.py").write_text(text + "# another\n")
    with pytest.raises(UsageError, match=r"there is a 'moments' already .*my_model.py is another one"):
        preset_name(tmp_path / "other.py")
