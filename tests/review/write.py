"""`python -m tests.review.write`: write the golden review again, after a change that was meant to change it."""

import tempfile
from pathlib import Path

from policies import known_policies
from review.making import make
from tests.review.data import WANTED, fill
from tests.review.test_making import GOLDEN


def main() -> None:
    """Write it."""
    with tempfile.TemporaryDirectory() as folder:
        records = fill(f"sqlite:///{Path(folder)}/records.db")
        review = make(records, known_policies(), WANTED)
        records.close()
    GOLDEN.write_text(review.model_dump_json(indent=1, exclude={"queries"}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
