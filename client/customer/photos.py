"""Photos from customers: encoded again, and kept in a folder.

A photo is decoded and written anew as JPEG. What a camera or a person put beside the picture (position, comments,
another file) is gone afterwards, and a file that is something else than a picture does not survive it.
"""

import hashlib
import io
import os
import re
from pathlib import Path
from typing import Literal

from PIL import Image, ImageOps

from cases.errors import AfterSalesError

KINDS = ("JPEG", "PNG")
"""What is accepted. Phones convert other formats for a form that asks for these."""
MAX_BYTES = 15 * 1024 * 1024
MAX_PIXELS = 50_000_000
"""More than the cameras of most phones have. Decoded, a picture of this size takes 150 MB for a moment."""
LONGEST_SIDE = 2_400
"""Larger pictures are reduced to it, in pixels: enough for a crack or a batch number."""
QUALITY = 85
SCHEME = "photo:"
_URI = re.compile(SCHEME + r"(case-[A-Za-z0-9._:-]{1,100})/([0-9a-f]{64})\.jpg")


class UnusablePhoto(AfterSalesError):
    """A file that is not accepted."""

    def __init__(self, why: Literal["too_large", "no_picture", "too_many_pixels"]) -> None:
        self.why = why
        super().__init__(why)


def encoded_again(data: bytes) -> bytes:
    """Return the picture as a new JPEG file. Raises `UnusablePhoto`."""
    if len(data) > MAX_BYTES:
        raise UnusablePhoto("too_large")
    try:
        with Image.open(io.BytesIO(data), formats=KINDS) as picture:  # reads the header only
            fits = picture.width * picture.height <= MAX_PIXELS
            clean = _redrawn(picture) if fits else None
    except Image.DecompressionBombError:
        clean = None
    except Exception:  # noqa: BLE001 (decoders raise anything for a file that somebody made to break them)
        raise UnusablePhoto("no_picture") from None
    if clean is None:
        raise UnusablePhoto("too_many_pixels")
    out = io.BytesIO()
    clean.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


def _redrawn(picture: Image.Image) -> Image.Image:
    """Return an upright picture without anything beside it. It has at most `LONGEST_SIDE` pixels a side."""
    picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a large JPEG is decoded at a fraction of its size
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    shown = ImageOps.exif_transpose(picture).convert("RGBA")
    clean = Image.new("RGB", shown.size, "white")
    clean.paste(shown, mask=shown.getchannel("A"))
    return clean


def keep(folder: Path, case_id: str, jpeg: bytes) -> tuple[str, bool]:
    """Store a photo of a case. Return its reference, and whether it is new: the same photo is stored once.

    `case_id` is that of an existing case. Raises `OSError` if the folder cannot be written.
    """
    name = hashlib.sha256(jpeg).hexdigest()
    place = folder / f"case-{case_id}" / f"{name}.jpg"
    uri = f"{SCHEME}case-{case_id}/{name}.jpg"
    if place.exists():
        return uri, False
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = place.with_suffix(f".{os.getpid()}.part")
    unfinished.write_bytes(jpeg)
    unfinished.replace(place)
    return uri, True


def kept(folder: Path, uri: str) -> bytes | None:
    """Return a stored photo, or None if the reference is not one of ours or the file is gone."""
    place = _place(folder, uri)
    try:
        return place.read_bytes() if place else None
    except FileNotFoundError:
        return None


def discard(folder: Path, uri: str) -> None:
    """Delete a stored photo."""
    if place := _place(folder, uri):
        place.unlink(missing_ok=True)


def _place(folder: Path, uri: str) -> Path | None:
    match = _URI.fullmatch(uri)
    return folder / match[1] / f"{match[2]}.jpg" if match else None
