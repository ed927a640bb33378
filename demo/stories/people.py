"""Who acts in the stories besides the customer, and what happens in nearly all of them."""

from typing import Any

from demo.play import Played

AGENT, LEAD, CLAIMS = "agent 李娜", "team lead 陈强", "claims 赵敏"


async def contented(case: Played, outcome: str = "satisfied", score: int = 5, **ending: Any) -> None:
    """The steps are done, the customer answers the callback, and the case ends so (`Played.ends`)."""
    await case.until_status("following_up")
    await case.does(case.customer, "satisfaction-reported", score=score)
    await case.ends(outcome, **ending)
