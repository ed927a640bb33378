"""The staff who act in the stories, and the usual end of a story."""

from typing import Any

from demo.play import Played

AGENT, LEAD, CLAIMS = "agent 李娜", "team lead 陈强", "claims 赵敏"


async def ends_after_callback(case: Played, outcome: str = "satisfied", score: int = 5, **ending: Any) -> None:
    """Wait until the steps are done, answer the callback, and check the end of the case (`Played.ends`)."""
    await case.until_status("following_up")
    await case.does(case.customer, "satisfaction-reported", score=score)
    await case.ends(outcome, **ending)
