"""Photos from customers: only pictures, encoded again, without the place where they were taken."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from client.customer.photos import LONGEST_SIDE, MAX_PIXELS, UnusablePhoto, encoded_again, keep, kept
from settings import WebSettings
from tests.cases import stages
from tests.cases.world import World, open_case
from tests.web.customer.conftest import CasesInMemory, Customer


def picture(kind: str = "JPEG", size: tuple[int, int] = (60, 40), **how: Any) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(out, kind, **how)
    return out.getvalue()


def with_place() -> bytes:
    """A photo that says where it was taken, and lies on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6  # rotated
    exif[0x010F] = "SecretPhone"
    exif.get_ifd(0x8825).update({1: "N", 2: (39.0, 54.0, 26.0), 3: "E", 4: (116.0, 23.0, 29.0)})
    return picture(exif=exif, comment=b"secret comment", icc_profile=b"secret profile")


def png_of(width: int, height: int) -> bytes:
    """A PNG that is small and claims to be large."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"
NOT_PICTURES = {
    "empty header": b"\xff\xd8\xff\xe0",
    "svg": SVG,
    "html as jpeg": HTML,
    "html behind the first bytes of a jpeg": b"\xff\xd8\xff\xe0" + HTML,
    "truncated jpeg": picture(size=(600, 400))[:4000],
    "truncated png": picture("PNG", size=(600, 400))[:4000],
    "gif": picture("GIF"),
    "tiff": picture("TIFF"),
    "webp": picture("WEBP"),
    "pdf": b"%PDF-1.7\n" + HTML,
    "zip": b"PK\x03\x04" + bytes(100),
    "nothing but zeros": bytes(1000),
    "text": "照片".encode(),
}


@pytest.mark.parametrize("name", NOT_PICTURES)
def test_what_is_no_jpeg_or_png_is_refused(name: str) -> None:
    with pytest.raises(UnusablePhoto) as refused:
        encoded_again(NOT_PICTURES[name])

    assert refused.value.why == "no_picture"


@pytest.mark.parametrize("size", [(30_000, 30_000), (MAX_PIXELS + 1, 1), (65_000, 65_000), (2**31 - 1, 2**31 - 1)])
def test_flood_of_pixels_is_refused_by_its_header(size: tuple[int, int]) -> None:
    data = png_of(*size)
    assert len(data) < 1_000

    with pytest.raises(UnusablePhoto):
        encoded_again(data)


def test_file_that_is_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(UnusablePhoto) as refused:
        encoded_again(picture() + bytes(16 * 1024 * 1024))

    assert refused.value.why == "too_large"


def test_place_device_and_comments_are_gone_and_the_picture_is_upright() -> None:
    before = with_place()
    with Image.open(io.BytesIO(before)) as taken:
        assert taken.getexif().get_ifd(0x8825), "the example has a position"

    after = encoded_again(before)

    with Image.open(io.BytesIO(after)) as clean:
        assert (clean.format, clean.size) == ("JPEG", (40, 60))
        assert not clean.getexif()
        assert set(clean.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi"}
    for secret in (b"SecretPhone", b"secret comment", b"secret profile", b"Exif"):
        assert secret in before
        assert secret not in after


@pytest.mark.parametrize(
    "hidden",
    [HTML, SVG, b"PK\x03\x04evil.zip", b"%PDF-1.7", b"<?php system($_GET[0]);"],
    ids=["html", "svg", "zip", "pdf", "php"],
)
def test_second_file_within_a_picture_does_not_survive(hidden: bytes) -> None:
    """A polyglot is a picture to us, and something else to another program."""
    for polyglot in (picture() + hidden, picture(comment=hidden), picture("PNG") + hidden):
        assert hidden in polyglot
        assert hidden not in encoded_again(polyglot)


def test_large_photo_is_reduced_and_transparency_becomes_white() -> None:
    with Image.open(io.BytesIO(encoded_again(picture(size=(5_000, 2_500))))) as reduced:
        assert reduced.size == (LONGEST_SIDE, LONGEST_SIDE // 2)
    out = io.BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(out, "PNG")
    with Image.open(io.BytesIO(encoded_again(out.getvalue()))) as white:
        assert white.getpixel((4, 4)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "I;16", "LA"])
def test_every_mode_of_pictures_becomes_an_ordinary_one(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (8, 8)).save(out, "JPEG" if mode == "CMYK" else "PNG")

    with Image.open(io.BytesIO(encoded_again(out.getvalue()))) as clean:
        assert clean.mode == "RGB"


# On the page


def awaiting() -> World:
    """A case that waits for photos."""
    return open_case("goods.damage", line="fresh_food")


async def test_photos_reach_the_case_and_its_clock_goes_on(customer_of: Any, web: WebSettings) -> None:
    """G11."""
    customer: Customer = customer_of(awaiting())
    sent = [("photos", ("a.jpg", with_place(), "image/jpeg")), ("photos", ("b.png", picture("PNG"), "image/png"))]

    answer = await customer.sends("photos", files=sent)
    after = await customer.http.get(answer.headers["location"])

    assert answer.status_code == 303
    assert customer.world.case.awaited == []
    evidence = customer.world.case.evidence
    assert [e.kind for e in evidence] == ["photo", "photo"]
    assert all((kept(web.photos, e.uri) or b"").startswith(b"\xff\xd8") for e in evidence)
    assert "We have 2 photos from you." in after.text


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "..\\..\\x.jpg",
        "/etc/cron.d/x",
        "x.php",
        "a\0.jpg",
        "CON",
        "x" * 500,
        "照片.jpg",
        "<script>.jpg",
    ],
)
async def test_name_of_a_file_has_no_effect(customer_of: Any, web: WebSettings, tmp_path: Path, name: str) -> None:
    customer: Customer = customer_of(awaiting())

    answer = await customer.sends("photos", files={"photos": (name, picture(), "image/jpeg")})

    assert answer.status_code == 303
    there = [path for path in tmp_path.rglob("*") if path.is_file() and not path.name.startswith("records.db")]
    assert [path.parent for path in there] == [web.photos / "case-HL-1"]
    assert len(there[0].stem) == 64


async def test_type_that_the_browser_claims_has_no_effect(customer_of: Any) -> None:
    customer: Customer = customer_of(awaiting())

    html = await customer.sends("photos", files={"photos": ("a.jpg", HTML, "image/jpeg")})
    photo = await customer.sends("photos", files={"photos": ("a.html", picture(), "text/html")})

    assert (html.status_code, photo.status_code) == (422, 303)
    assert "is not a photo that we can read" in html.text


async def test_one_bad_file_sends_none(customer_of: Any, web: WebSettings) -> None:
    customer: Customer = customer_of(awaiting())
    sent = [("photos", ("a.jpg", picture(), "image/jpeg")), ("photos", ("b.jpg", SVG, "image/jpeg"))]

    answer = await customer.sends("photos", files=sent)

    assert answer.status_code == 422
    assert customer.world.case.evidence == []
    assert not web.photos.exists()


async def test_same_photo_twice_is_one(customer_of: Any, web: WebSettings) -> None:
    customer: Customer = customer_of(awaiting())
    photo = picture()

    for _ in range(2):
        await customer.sends("photos", files={"photos": ("a.jpg", photo, "image/jpeg")})

    assert len(customer.world.case.evidence) == 1
    assert len(list((web.photos / "case-HL-1").iterdir())) == 1


async def test_photo_that_the_case_refuses_is_not_kept(
    customer_of: Any, web: WebSettings, engine_in_memory: CasesInMemory
) -> None:
    customer: Customer = customer_of(stages.executing())
    send = engine_in_memory.send

    async def closes(case_id: str, name: str, payload: dict[str, Any]) -> Any:
        customer.world.case.closed_at = customer.world.now
        return await send(case_id, name, payload)

    engine_in_memory.send = closes  # type: ignore[method-assign]
    answer = await customer.sends("photos", files={"photos": ("a.jpg", picture(), "image/jpeg")})

    assert answer.status_code == 409
    assert list(web.photos.rglob("*.jpg")) == []


async def test_more_files_or_bytes_than_allowed_are_refused(customer_of: Any) -> None:
    customer: Customer = customer_of(awaiting())
    many = [("photos", (f"{n}.jpg", picture(), "image/jpeg")) for n in range(7)]

    too_many = await customer.sends("photos", files=many)
    too_large = await customer.sends("photos", files={"photos": ("a.jpg", bytes(46 * 1024 * 1024), "image/jpeg")})
    none = await customer.sends("photos", files={"photos": ("", b"", "image/jpeg")})

    assert (too_many.status_code, too_large.status_code, none.status_code) == (400, 413, 422)
    assert customer.world.case.evidence == []


async def test_form_that_hides_its_length_is_bounded_too(customer_of: Any) -> None:
    customer: Customer = customer_of(awaiting())

    async def endless() -> Any:
        for _ in range(100):
            yield bytes(1024 * 1024)

    answer = await customer.http.post(
        f"{customer.path}/decline",
        content=endless(),
        headers={"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"},
    )

    assert answer.status_code == 413


def test_reference_to_anything_else_is_not_read(tmp_path: Path) -> None:
    uri, is_new = keep(tmp_path, "..", picture())

    assert is_new
    assert kept(tmp_path, uri)
    assert [path.name for path in tmp_path.iterdir()] == ["case-.."]
    for other in (
        "photo:case-HL-1/../../x.jpg",
        "s3://bucket/x.jpg",
        "photo:x",
        uri + "\n",
        uri.replace("case-..", ".."),
    ):
        assert kept(tmp_path, other) is None
