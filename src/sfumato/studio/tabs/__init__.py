"""The tabs, one file each: `NAME` and `build(place)`. The order is the order on the page."""

from __future__ import annotations

from sfumato.studio.tabs import home

TABS = (home,)
