"""How many examples a property is tested with: `few` in `make test`, `many` in `make long`.

`few` uses the same examples in every run. `many` uses different ones and prints what reproduces a failure. In CI `many`
uses the same examples in every run, and half as many, so that a change is not judged by chance.
"""

import os

from hypothesis import settings

FEW, MANY = 100, 600


def register() -> None:
    """Register both profiles and load `few`; pytest's `--hypothesis-profile` loads another one.

    Neither has a deadline: properties are judged by their outcome, not by the time an example takes.
    """
    in_ci = os.environ.get("CI") == "true"
    settings.register_profile("few", max_examples=FEW, derandomize=True, deadline=None)
    settings.register_profile(
        "many", max_examples=MANY // 2 if in_ci else MANY, derandomize=in_ci, deadline=None, print_blob=not in_ci
    )
    settings.load_profile("few")


def scaled(few: int) -> int:
    """Return how many examples the profile in force runs where `few` runs this many."""
    return few * settings().max_examples // FEW
