"""Say what a file is by its first bytes, so that a refusal can name it."""

from __future__ import annotations

DECODABLE = ("PNG", "JPEG", "WEBP", "TIFF", "BMP")
"""The formats that Sfumato reads; everything else is refused by name."""

SNIFF_BYTES = 64
"""How much of a file's beginning `name_of` needs."""

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"\xff\xd8\xff", "JPEG"),
    (8, b"WEBP", "WEBP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"II+\0", "TIFF"),
    (0, b"MM\0+", "TIFF"),
    (0, b"BM", "BMP"),
    (0, b"GIF8", "GIF"),
    (0, b"%!PS", "EPS or PostScript"),
    (0, b"\xc5\xd0\xd3\xc6", "EPS or PostScript"),
    (0, b"8BPS", "PSD"),
    (0, b"%PDF", "PDF"),
    (4, b"ftyphei", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
    (4, b"ftypavif", "AVIF"),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
    (0, b"\0\0\0\x0cjP", "JPEG 2000"),
    (0, b"PK\x03\x04", "ZIP archive"),
    (0, b"\x1f\x8b", "gzip archive"),
    (0, b"\x7fELF", "program"),
    (0, b"MZ", "program"),
    (4, b"ftyp", "video"),
)


def name_of(start: bytes) -> str:
    """Name what a file is.

    Args:
        start: Its first `SNIFF_BYTES` bytes (fewer if it is shorter).

    Returns:
        One of `DECODABLE`, or another kind of file such as "GIF", "SVG", "text", "empty" or
        "unknown".
    """
    if not start:
        return "empty"
    for offset, signature, name in _SIGNATURES:
        if start[offset : offset + len(signature)] == signature:
            return name
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml")):
        return "SVG"
    if text.startswith((b"<!doctype", b"<html")):
        return "web page"
    printable = all(byte >= 32 or byte in b"\t\r\n\f" for byte in start)
    return "text" if printable else "unknown"
