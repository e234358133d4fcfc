"""Extractors by name, and files that are no weights of theirs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from sfumato.errors import SfumatoError
from sfumato.evaluation.backbones import open_extractor


class Evil:
    """Would create a file if it were unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return open, (str(self.target), "w")


@pytest.mark.parametrize("name", ["inception", "dinov2"])
def test_files_that_are_no_weights(tmp_path: Path, name):
    cpu = torch.device("cpu")
    (tmp_path / "text.pth").write_text("<html>not found</html>")
    torch.save({"x": Evil(tmp_path / "harm")}, tmp_path / "evil.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save({"fc.weight": torch.zeros(3)}, tmp_path / "other.pth")
    whole = (tmp_path / "other.pth").read_bytes()
    (tmp_path / "half.pth").write_bytes(whole[: len(whole) // 2])
    for file, message in (
        ("text", "cannot be read as weights"),
        ("evil", "cannot be read as weights"),
        ("half", "cannot be read as weights"),
        ("list", "no table of named tensors"),
        ("other", "not the weights of"),
    ):
        with pytest.raises(SfumatoError, match=message):
            open_extractor(name, tmp_path / f"{file}.pth", device=cpu)
    assert not (tmp_path / "harm").exists()
