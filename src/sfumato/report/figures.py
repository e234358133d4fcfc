"""Matplotlib drawings as inline SVG that takes its colours and its type from the page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from sfumato.report import formats
from sfumato.report.palette import INK, PIGMENTS, RULE, SOFT

WIDE, NARROW, SMALL, TINY = (380, 264), (330, 240), (230, 186), (210, 128)
"""Sizes near those that the page shows, so that type keeps its size: one in two, three or four columns."""

VARIABLES = {INK: "currentColor", SOFT: "var(--soft)", RULE: "var(--rule)"} | {
    pigment.light: f"var(--p{number})" for number, pigment in enumerate(PIGMENTS)
}
"""The colours that Matplotlib draws with, and the variables of the page that stand for them."""

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


@dataclass(frozen=True)
class Drawing:
    """A finished drawing and what it shows in words."""

    plot: Axes
    label: str
    """The drawing for those who cannot see it."""

    def svg(self, name: str) -> Markup:
        """Return it as an element of the page; `name` is unique there."""
        return inline(self.plot, name, self.label)

    def png(self, scale: float = 2) -> bytes:
        """Return it as a PNG of `scale` times its size in the page, on a transparent ground."""
        target = io.BytesIO()
        _figure(self.plot).savefig(target, format="png", dpi=72 * scale, transparent=True)
        return target.getvalue()


def axes(xlabel: str, ylabel: str, size: tuple[int, int] = WIDE) -> Axes:
    """Return empty axes in the page's style: two thin spines, faint horizontal rules, no box.

    Args:
        xlabel: What runs to the right.
        ylabel: What runs up.
        size: Width and height in the page's pixels.
    """
    figure = Figure(figsize=(size[0] / 72, size[1] / 72), layout="constrained")
    FigureCanvasSVG(figure)
    plot = figure.add_subplot()
    plot.spines[["top", "right"]].set_visible(False)
    plot.spines[["left", "bottom"]].set_color(RULE)
    plot.tick_params(colors=SOFT, labelsize=11, length=3, color=RULE, which="both")
    plot.grid(axis="y", color=RULE, linewidth=0.6)
    plot.set_axisbelow(True)
    plot.set_xlabel(xlabel, color=SOFT, fontsize=11)
    plot.set_ylabel(ylabel, color=SOFT, fontsize=11)
    for axis in (plot.xaxis, plot.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
        axis.set_major_locator(MaxNLocator(4 if size[0] < WIDE[0] else 5))
    return plot


def stretch(plot: Axes, which: str, values: Iterable[float], ratio: float = 12, room: float = 1.15) -> None:
    """Make an axis logarithmic where its values are positive and span more than `ratio`.

    Args:
        plot: The drawing.
        which: `x` or `y`.
        values: Everything that is drawn along that axis.
        ratio: Largest over smallest value from which a linear axis would hide the small ones.
        room: Factor by which the axis reaches beyond the values.
    """
    known = list(values)
    if not known or min(known) <= 0 or max(known) / min(known) < ratio:
        return
    axis = getattr(plot, f"{which}axis")
    getattr(plot, f"set_{which}scale")("log")
    low, high = min(known) / room, max(known) * room
    getattr(plot, f"set_{which}lim")(low, high)
    steps = (1.0, 2.0, 5.0) if high / low < 400 else (1.0,)
    ticks = [tick for tick in LogLocator(subs=steps).tick_values(low, high) if low <= tick <= high]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
    axis.set_minor_formatter(NullFormatter())


def inline(plot: Axes, name: str, label: str) -> Markup:
    """Turn axes into an SVG element for the page.

    Args:
        plot: The finished drawing.
        name: Unique on the page; goes before every id, so that drawings do not share clip paths.
        label: The drawing in words, for those who cannot see it.
    """
    target = io.BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "sfumato"}):
        _figure(plot).savefig(
            target, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    root = ElementTree.fromstring(target.getvalue())
    for parent in list(root.iter()):
        for child in list(parent):
            # Matplotlib's own style element would reach every other drawing of the page.
            if child.tag == f"{SVG}style" or child.tag.endswith("metadata"):
                parent.remove(child)
    for element in root.iter():
        _adapt(element, name)
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    root.attrib.update({"role": "img", "aria-label": label, "class": "plot", "id": name})
    text = ElementTree.tostring(root, encoding="unicode")
    text = re.sub(r"(</?)ns\d+:", r"\1", text)
    text = re.sub(r"\sxmlns(:\w+)?=\"[^\"]*\"", "", text)
    # Safe: the tree was serialised by ElementTree, which escapes every text and attribute.
    return Markup(re.sub(r"#[0-9a-f]{6}", lambda hit: VARIABLES.get(hit[0], hit[0]), text))


def _figure(plot: Axes) -> Figure:
    """Return the figure that axes were made with."""
    figure = plot.get_figure()
    assert isinstance(figure, Figure)
    return figure


def _adapt(element: ElementTree.Element, name: str) -> None:
    """Make an element's ids unique on the page and drop its font family."""
    attributes = element.attrib
    if "id" in attributes:
        attributes["id"] = f"{name}-{attributes['id']}"
    if LINK in attributes:
        attributes["href"] = f"#{name}-{attributes.pop(LINK).removeprefix('#')}"
    if "clip-path" in attributes:
        attributes["clip-path"] = attributes["clip-path"].replace("#", f"#{name}-")
    if element.tag == f"{SVG}text" and "style" in attributes:
        style = re.sub(r"font:\s*(?:\w+\s+)*([\d.]+px)[^;]*", r"font-size: \1", attributes["style"])
        attributes["style"] = re.sub(r"font-family:[^;]*;?", "", style)


def _short(value: float) -> str:
    """Write a tick's label: 0.05, 2.5, 300, 20 k."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return _trim(f"{value / 1000:.1f}") + " k" if abs(value) < 1e6 else _trim(f"{value / 1e6:.2f}") + " M"
    return _trim(f"{value:.{formats.decimals_for(value, 3)}f}").replace("-", formats.MINUS)


def _trim(text: str) -> str:
    """Drop a decimal tail of zeros."""
    return text.rstrip("0").rstrip(".") if "." in text else text
