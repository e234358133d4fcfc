"""The tabs, one file each: `NAME` and `build(place, tab)`. The order is the order on the page.

A tab says nothing itself: its sentences are in `catalogue/NAME.yaml`, its HTML is in `templates/`.
"""

from __future__ import annotations

from sfumato.studio.tabs import (
    compare,
    data,
    explore,
    game,
    generate,
    home,
    models,
    restore,
    runs,
    score,
    train,
)

TABS = (home, data, train, generate, explore, compare, score, restore, game, models, runs)
