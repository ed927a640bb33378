"""Producing a review: its page in every language, its JSON and its exports, in one folder, whole or not at all."""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

from cases.errors import AfterSalesError
from cases.policy.policy import Policy
from messages import LOCALES
from records import Records
from review.figures import Review
from review.making import Reader, Wanted, make
from review.measures import propose
from review.texts import Words

FIGURES = "review.json"
"""The file with the figures. A folder with it is a review, and may be replaced by another one."""
ABANDONED_AFTER = 3 * 3600
"""Seconds without a change after which a folder in the making was abandoned. Longer than a review may take."""
NEEDED = ("altair", "vl_convert", "pyarrow")
"""What pages and exports need beside the figures: the optional group `review` of pyproject.toml."""


def review_id(wanted: Wanted) -> str:
    """Return the name of a review: its line and period."""
    return f"review-{wanted.line or 'all'}-{wanted.period}"


def can_draw() -> bool:
    """Return whether the libraries for pages and exports are installed."""
    return all(find_spec(name) for name in NEEDED)


def produce(
    records: Records, policies: Mapping[str, Policy], wanted: Wanted, folder: Path, reader: Reader | None = None
) -> Review:
    """Write the review into `folder`, in place of an earlier one, and return it. Its outliers are proposed as measures.

    Pages and exports are left out if `can_draw` is false. Raises `AfterSalesError` if the folder holds something else
    or cannot be written.
    """
    reader = reader or Reader(records)
    with _replacing(folder) as new:
        review = propose(records, make(records, policies, wanted, reader), Words(wanted.locale, policies))
        (new / FIGURES).write_text(review.model_dump_json(indent=2) + "\n", encoding="utf-8")
        if can_draw():
            # Only here, because a worker need not have these libraries.
            from review.exports import export  # noqa: PLC0415
            from review.page import page  # noqa: PLC0415

            export(records, wanted.scope(), new, reader)
            for locale in LOCALES:
                (new / f"review.{locale}.html").write_text(page(review, policies, locale), encoding="utf-8")
    return review


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """Yield a new folder that takes the place of `folder` if nothing is raised, and vanishes otherwise."""
    try:
        if folder.exists() and not _is_review(folder):
            raise AfterSalesError(f"{folder} is not a review: choose another folder, or an empty one")
        folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(folder)
        new = Path(mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise AfterSalesError(f"{folder} cannot be written: {error.strerror}") from None
    try:
        yield new
        new.chmod(0o755)
        if folder.exists():
            folder.rename(new / "before")
        new.rename(folder)
        shutil.rmtree(folder / "before", ignore_errors=True)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _remove_abandoned(folder: Path) -> None:
    """Remove what killed processes have left behind."""
    for left in folder.parent.glob(f".{folder.name}.*"):
        if time.time() - left.stat().st_mtime > ABANDONED_AFTER:
            shutil.rmtree(left, ignore_errors=True)


def _is_review(folder: Path) -> bool:
    return folder.is_dir() and ((folder / FIGURES).exists() or not any(folder.iterdir()))
