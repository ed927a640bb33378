"""Who does which work, and when: urgent work first, then by deadline, in shifts, by those who may."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from simulation.agenda import Agenda
from simulation.staff import Person, Staff, Task
from tests.simulation.worlds import scenario

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Office:
    """People, and a list of what they began: when, what, who."""

    def __init__(self, *crews: dict[str, Any], queue: str = "deadline") -> None:
        self.world = scenario(staff=list(crews), queue=queue)
        self.agenda = Agenda(self.world.begins)
        self.begun: list[tuple[timedelta, str, str]] = []
        self.staff = Staff(self.world, self.agenda, lambda *_: None)

    def waits(self, name: str, team: str = "a", *, due: int = 0, takes: int = 60, **how: Any) -> Task:
        """Enter a task now; `due` and `takes` in minutes."""
        task = Task(
            kind="assess",
            team=team,
            urgent=how.pop("urgent", False),
            due=self.world.begins + due * MINUTE,
            entered=self.agenda.now,
            takes=takes * MINUTE,
            begin=self._begins(name),
            done=lambda _: None,
            **how,
        )
        self.staff.add(task)
        return task

    def _begins(self, name: str) -> Callable[[Person], None]:
        return lambda person: self.begun.append((self.agenda.now - self.world.begins, name, person.name))

    def until(self, end: timedelta) -> list[str]:
        """Let time pass. Return the names of the tasks that have begun, in order."""
        reached: list[datetime] = []
        self.agenda.at(self.world.begins + end, lambda: reached.append(self.agenda.now))
        while not reached and self.agenda.next():
            pass
        return [name for _, name, _ in self.begun]


def crew(name: str, people: int = 1, *teams: str, **terms: Any) -> dict[str, Any]:
    return {"name": name, "people": people, "teams": list(teams or ("a",)), **terms}


def test_urgent_work_is_first_and_then_what_is_due_first() -> None:
    office = Office(crew("one"))
    office.until(MINUTE)
    office.waits("being done")
    office.waits("late", due=300)
    office.waits("soon", due=100)
    office.waits("urgent", due=900, urgent=True)

    assert office.until(5 * HOUR) == ["being done", "urgent", "soon", "late"]


def test_work_can_be_done_in_the_order_of_arrival() -> None:
    office = Office(crew("one"), queue="arrival")
    office.until(MINUTE)
    office.waits("being done")
    for minute, name, due in ((2, "first", 300), (3, "second", 100)):
        office.until(minute * MINUTE)
        office.waits(name, due=due)

    assert office.until(5 * HOUR) == ["being done", "first", "second"]


def test_work_waits_for_the_shift_and_is_finished_after_it() -> None:
    office = Office(crew("day", begins="09:00", ends="11:00"))
    for number in range(3):
        office.waits(str(number), due=number, takes=90)

    office.until(40 * HOUR)

    assert [at for at, _, _ in office.begun] == [9 * HOUR, 10.5 * HOUR, 33 * HOUR]


def test_shift_over_midnight_is_one_shift() -> None:
    office = Office(crew("night", begins="22:00", ends="06:00"))
    office.waits("at midnight")
    office.until(7 * HOUR)
    office.waits("at seven")
    office.until(28 * HOUR)
    office.waits("at four")

    office.until(29 * HOUR)

    assert [at for at, _, _ in office.begun] == [0 * HOUR, 22 * HOUR, 28 * HOUR]


def test_day_off_is_a_day_off() -> None:
    """The scenario begins on a Monday."""
    office = Office(crew("midweek", days=["wednesday"]))
    office.waits("first")

    office.until(60 * HOUR)

    assert [at for at, _, _ in office.begun] == [48 * HOUR]


def test_specialist_is_asked_before_somebody_who_can_do_more() -> None:
    office = Office(crew("both", 1, "a", "b"), crew("expert", 1, "a"))
    office.until(MINUTE)
    office.waits("first", "a")
    office.waits("second", "b")

    office.until(2 * MINUTE)

    assert [(name, person) for _, name, person in office.begun] == [("first", "expert-1"), ("second", "both-1")]


def test_somebody_who_prepared_a_decision_takes_the_next_task_instead() -> None:
    """S20."""
    office = Office(crew("two", 1), crew("other", 1, "b", begins="12:00"))
    office.until(MINUTE)
    office.waits("own", barred=frozenset({"two-1"}))
    office.waits("another", due=500)

    assert office.until(5 * HOUR) == ["another"]


def test_work_that_is_taken_back_is_not_done_and_does_not_count() -> None:
    office = Office(crew("one"))
    office.until(MINUTE)
    begun = office.waits("begun")
    waiting = office.waits("taken back")
    office.staff.withdraw(waiting)
    office.staff.withdraw(waiting)
    office.staff.withdraw(begun)

    assert office.until(5 * HOUR) == ["begun"]
    assert office.staff.queues["a"].length == 0


def test_slow_person_takes_longer() -> None:
    office = Office(crew("new", pace=0.5))
    office.until(MINUTE)
    for name in ("first", "second"):
        office.waits(name)

    office.until(5 * HOUR)

    assert office.begun[1][0] == MINUTE + 2 * HOUR
