"""The house's colours and type for Gradio's own parts; `style.css` names the colours and does the rest."""

from __future__ import annotations

import gradio as gr

SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONO = ("ui-monospace", "SF Mono", "Menlo", "Consolas", "monospace")
"""Fonts that are on the visitor's machine: none is fetched."""

PAPER, CARD, INK, SOFT, RULE, ACCENT, BEST = (
    f"var(--{name})" for name in ("paper", "card", "ink", "soft", "rule", "accent", "best")
)

PIGMENT = gr.themes.Color(
    "color-mix(in srgb, var(--accent) 6%, var(--card))",
    "color-mix(in srgb, var(--accent) 12%, var(--card))",
    "color-mix(in srgb, var(--accent) 24%, var(--card))",
    "color-mix(in srgb, var(--accent) 40%, var(--card))",
    *[ACCENT] * 7,
    name="pigment",
)
"""The accent in Gradio's eleven strengths, the faint ones mixed with the ground."""

COLOURS = {
    "body_background_fill": PAPER,
    "body_text_color": INK,
    "body_text_color_subdued": SOFT,
    "background_fill_primary": CARD,
    "background_fill_secondary": PAPER,
    "border_color_primary": RULE,
    "border_color_accent": ACCENT,
    "border_color_accent_subdued": RULE,
    "color_accent_soft": BEST,
    "link_text_color": ACCENT,
    "link_text_color_active": ACCENT,
    "link_text_color_hover": ACCENT,
    "link_text_color_visited": ACCENT,
    "block_background_fill": CARD,
    "block_border_color": RULE,
    "block_info_text_color": SOFT,
    "block_label_background_fill": CARD,
    "block_label_border_color": RULE,
    "block_label_text_color": SOFT,
    "block_title_text_color": INK,
    "panel_background_fill": CARD,
    "panel_border_color": RULE,
    "accordion_text_color": INK,
    "table_text_color": INK,
    "table_border_color": RULE,
    "table_even_background_fill": CARD,
    "table_odd_background_fill": CARD,
    "table_row_focus": BEST,
    "checkbox_background_color": CARD,
    "checkbox_background_color_focus": CARD,
    "checkbox_background_color_hover": CARD,
    "checkbox_background_color_selected": ACCENT,
    "checkbox_border_color": SOFT,
    "checkbox_border_color_focus": ACCENT,
    "checkbox_border_color_hover": ACCENT,
    "checkbox_border_color_selected": ACCENT,
    "checkbox_label_background_fill": CARD,
    "checkbox_label_background_fill_hover": PAPER,
    "checkbox_label_background_fill_selected": BEST,
    "checkbox_label_border_color": RULE,
    "checkbox_label_border_color_hover": ACCENT,
    "checkbox_label_text_color": INK,
    "checkbox_label_text_color_selected": INK,
    "error_background_fill": CARD,
    "error_border_color": RULE,
    "error_icon_color": ACCENT,
    "error_text_color": INK,
    "input_background_fill": CARD,
    "input_background_fill_focus": CARD,
    "input_background_fill_hover": CARD,
    "input_border_color": RULE,
    "input_border_color_focus": ACCENT,
    "input_border_color_hover": SOFT,
    "input_placeholder_color": SOFT,
    "loader_color": ACCENT,
    "slider_color": ACCENT,
    "stat_background_fill": BEST,
    "button_primary_background_fill": INK,
    "button_primary_background_fill_hover": ACCENT,
    "button_primary_border_color": INK,
    "button_primary_border_color_hover": ACCENT,
    "button_primary_text_color": PAPER,
    "button_primary_text_color_hover": PAPER,
    "button_secondary_background_fill": CARD,
    "button_secondary_background_fill_hover": BEST,
    "button_secondary_border_color": RULE,
    "button_secondary_border_color_hover": ACCENT,
    "button_secondary_text_color": INK,
    "button_secondary_text_color_hover": INK,
    "button_cancel_background_fill": CARD,
    "button_cancel_background_fill_hover": BEST,
    "button_cancel_border_color": RULE,
    "button_cancel_border_color_hover": ACCENT,
    "button_cancel_text_color": ACCENT,
    "button_cancel_text_color_hover": ACCENT,
}
"""Gradio's names for the house's colours; the same for light and dark, because the variables change."""

SHAPES = {
    "block_border_width": "1px",
    "block_label_radius": "3px",
    "block_radius": "4px",
    "block_shadow": "none",
    "block_title_text_size": "*text_sm",
    "block_title_text_weight": "500",
    "button_large_radius": "3px",
    "button_large_text_weight": "500",
    "button_medium_radius": "3px",
    "button_medium_text_weight": "500",
    "button_small_radius": "3px",
    "checkbox_border_radius": "2px",
    "container_radius": "4px",
    "embed_radius": "4px",
    "input_border_width": "1px",
    "input_radius": "3px",
    "input_shadow": "none",
    "input_shadow_focus": "none",
    "layout_gap": "1.2rem",
    "table_radius": "4px",
}


def theme() -> gr.themes.Base:
    """Return the theme."""
    both = COLOURS | {f"{name}_dark": value for name, value in COLOURS.items()}
    base = gr.themes.Base(primary_hue=PIGMENT, secondary_hue=PIGMENT, font=list(SANS), font_mono=list(MONO))
    return base.set(**both, **SHAPES)
