"""The factors of a portrait: all that may differ between two pictures, and its distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import numpy as np

PALETTE_COUNT = 10

BackdropStyle = Literal["glow", "hills", "arch", "bokeh", "stripes", "dots"]
ClothingStyle = Literal["crew", "vneck", "shirt", "turtleneck", "striped", "scarf"]
HairStyle = Literal["smooth", "tousled", "curly", "bun", "quiff"]
HatStyle = Literal["beanie", "fedora", "beret", "cap", "straw"]
BeardStyle = Literal["full", "short", "goatee"]
EarringStyle = Literal["hoop", "pearl", "drop"]


class Span(NamedTuple):
    """The closed range of a continuous factor; its values are uniform in it."""

    low: float
    high: float


class Chance(NamedTuple):
    """The prevalence of a binary attribute, in [0, 1]."""

    probability: float


@dataclass(frozen=True)
class Factors:
    """One portrait, described; ranges stand in the annotations, units and meanings below them.

    Lengths are in head units (half the height of the face, about a quarter of the picture) unless
    another unit is named. Left and right are the viewer's. Fields of an absent attribute (the style
    of a hat that is not worn) are drawn all the same, so that one attribute can be switched alone.
    """

    smiling: Annotated[bool, Chance(0.5)]
    """Mouth curved upwards and open, with teeth."""
    glasses: Annotated[bool, Chance(0.35)]
    """Rims, bridge and temples in front of the eyes."""
    hat: Annotated[bool, Chance(0.35)]
    """A hat above the forehead; the hair at the sides stays visible."""
    beard: Annotated[bool, Chance(0.3)]
    """Beard and moustache in the colour of the hair."""
    long_hair: Annotated[bool, Chance(0.45)]
    """Hair that falls to the shoulders."""
    blond: Annotated[bool, Chance(0.3)]
    """Hair, brows and beard from the blond scale instead of the dark, red and grey one."""
    closed_eyes: Annotated[bool, Chance(0.3)]
    """Both lids down."""
    earrings: Annotated[bool, Chance(0.4)]
    """One at each ear, in front of the hair."""

    tilt: Annotated[float, Span(-9.0, 9.0)]
    """Roll of the head in degrees, clockwise."""
    yaw: Annotated[float, Span(-24.0, 24.0)]
    """Turn of the head in degrees, positive to the right."""
    pitch: Annotated[float, Span(-0.06, 0.06)]
    """Shift of the features on the face, positive downwards."""
    head_x: Annotated[float, Span(-0.07, 0.07)]
    """Position of the head, in half picture widths, positive to the right."""
    head_y: Annotated[float, Span(-0.05, 0.05)]
    """Position of the head, in half picture heights, positive downwards."""
    head_scale: Annotated[float, Span(0.52, 0.58)]
    """Half the height of the face, in half picture heights."""

    face_width: Annotated[float, Span(0.68, 0.79)]
    """Half the width of the face."""
    jaw: Annotated[float, Span(0.0, 0.45)]
    """Squareness of the lower face: 0 is an ellipse, 1 would be a rectangle."""
    skin_tone: Annotated[float, Span(0.0, 1.0)]
    """Place on the scale of skin colours, 0 deep to 1 fair."""
    undertone: Annotated[float, Span(-1.0, 1.0)]
    """Undertone of the skin, -1 golden to 1 rosy."""
    blush: Annotated[float, Span(0.2, 1.0)]
    """Strength of the colour in the cheeks."""
    freckles: Annotated[float, Span(-2.0, 1.0)]
    """Strength of the freckles; none below 0."""

    eye_spacing: Annotated[float, Span(0.29, 0.35)]
    """Half the distance between the pupils."""
    eye_size: Annotated[float, Span(0.175, 0.215)]
    """Half the width of an eye."""
    eye_openness: Annotated[float, Span(0.54, 0.76)]
    """Height of an open eye over its width."""
    eye_slant: Annotated[float, Span(-0.08, 0.16)]
    """Slope of the eyes, positive with the outer corners up."""
    iris: Annotated[float, Span(0.0, 1.0)]
    """Place on the scale of eye colours, from dark brown over hazel and green to blue."""
    gaze: Annotated[float, Span(-1.0, 1.0)]
    """Direction of the look, -1 left to 1 right."""
    brow_height: Annotated[float, Span(0.24, 0.33)]
    """Distance of the brows above the pupils."""
    brow_weight: Annotated[float, Span(0.05, 0.1)]
    """Thickness of the brows."""
    brow_slant: Annotated[float, Span(-0.18, 0.1)]
    """Slope of the brows, positive with the outer ends up."""
    nose_length: Annotated[float, Span(0.3, 0.4)]
    """Position of the tip of the nose below the centre of the face."""
    nose_width: Annotated[float, Span(0.11, 0.17)]
    """Half the width of the nose."""
    mouth_height: Annotated[float, Span(0.58, 0.66)]
    """Position of the mouth below the centre of the face."""
    mouth_width: Annotated[float, Span(0.19, 0.27)]
    """Half the width of the closed mouth."""
    mouth_curve: Annotated[float, Span(-0.01, 0.05)]
    """Height of the bow of the closed mouth, positive with the corners up."""
    lip_fullness: Annotated[float, Span(0.05, 0.09)]
    """Thickness of a lip."""
    lip_colour: Annotated[float, Span(0.0, 1.0)]
    """Redness of the lips, 0 for skin to 1 for rouge."""
    smile_open: Annotated[float, Span(0.15, 0.26)]
    """Height of the smiling mouth."""

    light_x: Annotated[float, Span(-1.0, 1.0)]
    """Where the light comes from, -1 left to 1 right."""
    light_y: Annotated[float, Span(0.2, 0.7)]
    """Height of the light, 0 level with the face to 1 far above it."""
    light_warmth: Annotated[float, Span(-1.0, 1.0)]
    """Colour of the light, -1 cool daylight to 1 candlelight."""
    light_contrast: Annotated[float, Span(0.6, 1.0)]
    """Difference between the light side and the shadow side."""
    exposure: Annotated[float, Span(-1.0, 1.0)]
    """Brightness of the whole picture, -1 evening to 1 noon."""

    hair_style: HairStyle
    """Outline of the hair on the head."""
    hair_tone: Annotated[float, Span(0.0, 1.0)]
    """Place on the scale silver, grey, black, brown, chestnut, auburn, ginger."""
    blond_tone: Annotated[float, Span(0.0, 1.0)]
    """Place on the scale of blond, ash to honey to platinum."""
    hair_volume: Annotated[float, Span(0.1, 0.26)]
    """Thickness of the hair around the head."""
    hair_part: Annotated[float, Span(-0.4, 0.4)]
    """Position of the parting, positive to the right."""
    hair_fringe: Annotated[float, Span(-0.06, 0.2)]
    """How far the hair comes down the forehead."""
    hair_swoop: Annotated[float, Span(-0.25, 0.3)]
    """How much further down the hair comes at the parting than beside it."""
    hair_length: Annotated[float, Span(1.0, 1.6)]
    """Where long hair ends below the centre of the face."""
    hair_wisp: Annotated[float, Span(0.0, 0.07)]
    """Depth of the tufts in which the hair ends on the forehead."""
    hair_wave: Annotated[float, Span(0.0, 0.07)]
    """Depth of the waves of long hair."""

    palette: Annotated[float, Span(0.0, float(PALETTE_COUNT))]
    """Place on the circle of colour schemes; whole numbers are the schemes themselves."""
    backdrop_style: BackdropStyle
    """What is behind the head."""
    backdrop_x: Annotated[float, Span(-0.6, 0.6)]
    """Position of the backdrop's motif, in half picture widths."""
    backdrop_y: Annotated[float, Span(-1.0, 1.0)]
    """Height of the backdrop's motif, in units of the motif's own range."""
    backdrop_value: Annotated[float, Span(0.0, 1.0)]
    """Value of the backdrop, 0 the scheme's light colour to 1 its deep one."""
    clothing_style: ClothingStyle
    """Cut of the garment."""
    clothing_tone: Annotated[float, Span(0.0, 1.0)]
    """Colour of the garment, from the scheme's first cloth to its second."""
    shoulder_width: Annotated[float, Span(0.72, 0.92)]
    """Half the width of the shoulders, in half picture widths."""

    hat_style: HatStyle
    """Kind of hat."""
    hat_slant: Annotated[float, Span(-0.12, 0.12)]
    """Slope of the hat."""
    hat_tone: Annotated[float, Span(0.0, 1.0)]
    """Colour of the hat, from the scheme's accent to its second cloth."""
    glasses_square: Annotated[float, Span(0.0, 0.85)]
    """Shape of the rims, 0 round to 1 square."""
    glasses_size: Annotated[float, Span(0.235, 0.285)]
    """Half the width of a lens."""
    glasses_weight: Annotated[float, Span(0.03, 0.055)]
    """Thickness of the rims."""
    glasses_tone: Annotated[float, Span(0.0, 1.0)]
    """Colour of the rims: black, tortoise, gold, the scheme's accent."""
    beard_style: BeardStyle
    """Cut of the beard."""
    beard_length: Annotated[float, Span(0.04, 0.26)]
    """How far the beard reaches below the chin."""
    earring_style: EarringStyle
    """Kind of earring."""
    earring_size: Annotated[float, Span(0.11, 0.15)]
    """Half the width of an earring."""

    def __post_init__(self) -> None:
        """Refuses a factor outside its range.

        Raises:
            ValueError: If a factor is outside its range or names an unknown style.
        """
        for name, rule in _RULES.items():
            value = getattr(self, name)
            if isinstance(rule, Span):
                if not rule.low <= value <= rule.high:
                    raise ValueError(
                        f"{name}={value!r} is outside its range; choose a value in [{rule.low}, {rule.high}]"
                    )
            elif not isinstance(rule, Chance) and value not in rule:
                raise ValueError(f"{name}={value!r} is unknown; choose one of {', '.join(rule)}")


def _rule(hint: Any) -> Span | Chance | tuple[str, ...]:
    return get_args(hint) if get_origin(hint) is Literal else hint.__metadata__[0]


_RULES = {name: _rule(hint) for name, hint in get_type_hints(Factors, include_extras=True).items()}

ATTRIBUTES: tuple[str, ...] = tuple(n for n, rule in _RULES.items() if isinstance(rule, Chance))
"""The binary attributes, in the order of every label array."""


def factors(seed: int, index: int) -> Factors:
    """Draws the factors of one portrait by lot; a pure function of its arguments.

    Args:
        seed: The data set, in [0, 2**64).
        index: The portrait in it, in [0, 2**64).

    Returns:
        Factors that are independent of each other and of every other portrait.

    Raises:
        ValueError: If seed or index is out of range.
    """
    if not (0 <= seed < 2**64 and 0 <= index < 2**64):
        raise ValueError(f"seed={seed}, index={index}: both must lie in [0, 2**64)")
    # A counter-based generator keyed by (seed, index) needs no state that a batch could disturb,
    # and uniform draws alone are the same bits on every platform. One draw for each field, in
    # order: a field added at the end leaves all others as they were.
    key = np.array([seed, index], dtype=np.uint64)
    draws = np.random.Generator(np.random.Philox(key=key)).random(len(_RULES)).tolist()
    values: dict[str, Any] = {}
    for (name, rule), draw in zip(_RULES.items(), draws, strict=True):
        if isinstance(rule, Span):
            values[name] = rule.low + (rule.high - rule.low) * draw
        elif isinstance(rule, Chance):
            values[name] = draw < rule.probability
        else:
            values[name] = rule[int(draw * len(rule))]
    return Factors(**values)
