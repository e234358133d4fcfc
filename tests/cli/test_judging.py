"""`evaluate` as a tool of its own, `report` and `leaderboard`: what they print, write and refuse."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

MEANS = """
def features(images):
    '''Means and deviations of each channel, and of each quarter.'''
    import torch
    x = images.float().permute(0, 3, 1, 2)
    small = torch.nn.functional.adaptive_avg_pool2d(x, 2).flatten(1)
    return torch.cat([small, x.std(dim=(2, 3))], dim=1)
"""


@pytest.fixture
def folders(tmp_path: Path):
    """Real and generated images as PNG files, and an extractor of one's own."""
    random = np.random.default_rng(0)
    for name, low in (("real", 0), ("fake", 40)):
        (tmp_path / name).mkdir()
        for number in range(60):
            pixels = random.integers(low, 256, (12, 12, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number:03d}.png")
    (tmp_path / "means.py").write_text(MEANS)
    return tmp_path


def evaluate(sfumato, *words):
    return sfumato("evaluate", *words, "--json", "--quiet", "--device", "cpu")


def test_two_folders(sfumato, folders):
    found = evaluate(sfumato, "fake", "--reference", "real", "--extractor", "means.py")
    assert found.code == 0, found.err
    assert set(found.json) == {"kd"} and "weak" in found.json["kd"]["note"], "60 images are few"
    assert found.json["kd"]["value"] > 0 and found.json["kd"]["protocol"]["backbone"] == "means.py"
    asked = evaluate(
        sfumato, "fake", "--reference", "real", "--extractor", "means.py", "--metrics", "kernel,frechet"
    )
    assert list(asked.json) == ["kd"] and asked.json["kd"]["value"] == found.json["kd"]["value"]


def test_statistics_go_out_and_come_back(sfumato, folders):
    own = ("--extractor", "means.py")
    made = evaluate(sfumato, "real", *own, "--save-statistics", "real.npz")
    assert made.code == 0 and made.json == {}
    with np.load("real.npz") as arrays:
        assert arrays["mu"].shape == (15,) and arrays["sigma"].shape == (15, 15)
    found = evaluate(sfumato, "fake", "--reference", "real.npz", *own)
    assert found.code == 0 and found.json["fd"]["value"] > 0 and found.json["fd"]["n_real"] == 60
    refused = evaluate(sfumato, "fake", "--reference", "real.npz", *own, "--metrics", "kd")
    assert refused.code == 2 and "ask for fd alone" in refused.err
    refused = evaluate(sfumato, "fake", "--reference", "real.npz")
    assert refused.code == 2 and "name it with --extractor" in refused.err


def test_pairs_are_matched_by_name(sfumato, folders):
    found = evaluate(sfumato, "fake", "--reference", "real", "--metrics", "psnr,ssim,delta_e,colourfulness")
    assert found.code == 0, found.err
    assert found.json["psnr"]["metric"] == "PSNR" and 0 < found.json["psnr"]["value"] < 20
    assert found.json["delta_e"]["n_generated"] == 60
    same = evaluate(sfumato, "real", "--reference", "real", "--metrics", "psnr,ssim")
    assert same.json["psnr"]["value"] == 100 and same.json["ssim"]["value"] == pytest.approx(1)
    vivid = found.json["colourfulness"]
    assert vivid["higher_is_better"] is None and vivid["ideal"] == 0 > vivid["value"]
    told = sfumato("evaluate", "fake", "--reference", "real", "--metrics", "colourfulness,psnr", "--quiet")
    assert "near 0" in told.out and "higher" in told.out
    (folders / "real" / "059.png").unlink()
    alone = evaluate(sfumato, "fake", "--reference", "real", "--metrics", "psnr")
    assert alone.code == 2 and "1 of 60 images have no partner" in alone.err and "059" in alone.err


def test_the_partner_is_who_has_the_same_name(sfumato, folders):
    """Of 000.png and 000.tif it is the one that is named alike; of two others it is neither."""
    (folders / "few").mkdir()
    for name in ("000.png", "001.png"):
        shutil.copy(folders / "real" / name, folders / "few" / name)
    Image.new("RGB", (12, 12)).save(folders / "real" / "000.tif")
    found = evaluate(sfumato, "few", "--reference", "real", "--metrics", "psnr")
    assert found.code == 0 and found.json["psnr"]["value"] == 100
    (folders / "few" / "000.png").rename(folders / "few" / "000.bmp")
    torn = evaluate(sfumato, "few", "--reference", "real", "--metrics", "psnr")
    assert torn.code == 2 and "real has 000.png, 000.tif, and only one" in torn.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fake",), "name what to hold the images against"),
        (("fake", "--reference", "nowhere"), "there is no such folder"),
        (("fake", "--reference", "real", "--metrics", "recal"), "did you mean 'recall'"),
        (("fake", "--reference", "real", "--metrics", "lpips"), "nothing without its weights"),
        (("fake", "--reference", "real", "--extractor", "incepton"), "did you mean 'inception'"),
        (("fake", "--reference", "real", "--extractor", "inception"), "SFUMATO_INCEPTION_WEIGHTS"),
        (("fake", "--reference", "real", "--extractor", "gone.py"), "there is no such file"),
        (("fake", "--reference", "broken.npz", "--extractor", "means.py"), "cannot be read"),
        (("fake", "--reference", "nan.npz", "--extractor", "means.py"), "NaN or infinity"),
        (("fake", "--reference", "other.npz", "--extractor", "means.py"), "statistics of 3 dimensions"),
        (("fake", "--reference", "real", "--extractor", "bad.py"), "NaN or infinity"),
        (("gray", "--reference", "real", "--extractor", "means.py"), "is in colour"),
        (("fake", "--save-statistics", "x.npz"), "mean nothing to anybody else"),
        (("fake", "--reference", "real", "--metrics", "fd,psnr"), "in two commands"),
        (("fake", "--reference", "real", "--metrics", "cas"), "name a run"),
        (("some-run", "--metrics", "psnr"), "those of a run have none"),
        (("some-run", "--extractor", "means.py", "--save-statistics", "x.npz"), "sfumato sample some-run"),
        (("textures:40", "--reference", "textures:8", "--metrics", "psnr"), "no partner of the same name"),
        (("fake", "--reference", "real", "--draws", "0"), "choose 1 to 100"),
        (("fake", "--reference", "real", "--extractor", "means.py", "--set", "size=8"), "taken as they are"),
    ],
)
def test_what_cannot_be_measured(sfumato, folders, words, said, monkeypatch):
    monkeypatch.delenv("SFUMATO_INCEPTION_WEIGHTS", raising=False)
    Path("broken.npz").write_bytes(b"PK\x03\x04 nothing")
    np.savez("nan.npz", mu=np.full(15, np.nan), sigma=np.eye(15))
    np.savez("other.npz", mu=np.zeros(3), sigma=np.eye(3))
    Path("bad.py").write_text("def features(images):\n    return images.float().mean(dim=(1, 2)) / 0 * 0\n")
    Path("gray").mkdir()
    for number in range(3):
        Image.new("L", (12, 12), 40 * number).save(f"gray/{number}.png")
    refused = evaluate(sfumato, *words)
    assert refused.code in (1, 2) and said in refused.err, refused.err
    assert refused.err.count("\n") == 1 and "Traceback" not in refused.err


def test_a_report_as_page_and_slides(sfumato, trained, tmp_path: Path, short_ruler):
    shutil.copytree(trained.path, tmp_path / "runs" / "one")
    made = sfumato("report", "one", "--to", "html,pptx", "--draws", "1", "--quiet", "--device", "cpu")
    assert made.code == 0, made.err
    assert "report.html and report" in made.out
    assert Path("report/report.pptx").stat().st_size > 10_000 and Path("report/report.html").is_file()
    assert sfumato("report", "one", "--to", "docx").code == 2


def test_a_run_is_judged_by_how_it_draws(sfumato, tiny, small_images: str, short_ruler):
    made = sfumato("train", "dcgan", "--data", small_images, "--run", "one", *tiny)
    assert made.code == 0, made.err
    plain, timid = (
        evaluate(sfumato, "one", "--draws", "1", *words) for words in ((), ("--set", "truncation=0.1"))
    )
    plain, timid = (found.json["kd"] for found in (plain, timid))
    assert timid["value"] != plain["value"] and timid["protocol"]["sampling"] == "truncation 0.1"
    ranked = sfumato("leaderboard", "--json")
    assert "truncation 1.0" in ranked.out and "truncation 0.1" not in ranked.out, "its own way ranks it"
    refused = evaluate(sfumato, "one", "--set", "steps=3")
    assert refused.code == 2 and "sampling.steps means nothing to a dcgan" in refused.err


def test_the_leaderboard_ranks_what_was_evaluated(sfumato, trained, tmp_path: Path, short_ruler):
    empty = sfumato("leaderboard")
    assert empty.code == 2 and "evaluate" in empty.err
    for name in ("one", "two"):
        shutil.copytree(trained.path, tmp_path / "runs" / name)
    assert evaluate(sfumato, "one").code == 0 and evaluate(sfumato, "two").code == 0
    ranked = sfumato("leaderboard", "--json")
    assert ranked.code == 0, ranked.err
    assert "one" in ranked.out and "two" in ranked.out and Path("leaderboard/leaderboard.html").is_file()
    assert "one" in sfumato("leaderboard").out
