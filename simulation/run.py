"""One run of a scenario: a seed, from the first complaint until the last case has closed."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta

from cases.calendar import length
from cases.complaint import LIVE_CHANNELS
from cases.policy.admission import admitted
from cases.policy.policy import Policy
from cases.vocabulary import PromiseName
from simulation.agenda import Agenda
from simulation.complaints import Arrival, arrivals, complaint, truth_of
from simulation.draws import Draws
from simulation.partners import Partners
from simulation.people import People
from simulation.played import Played
from simulation.scenario import ChannelTerms, Scenario
from simulation.staff import Person, Staff, Task
from simulation.tally import Counting, Tally

DRAIN = timedelta(days=60)
"""How long after the last day cases may take to close. A case that takes longer counts as unfinished."""
Progress = Callable[[float], None]
"""Called with the share of the run that is done."""


class Run:
    """One seed of a scenario, with the policies of its lines."""

    def __init__(self, scenario: Scenario, policies: Mapping[str, Policy], seed: int) -> None:
        self._scenario = scenario
        self._policies = policies
        self._draws = Draws(seed)
        self.agenda = Agenda(scenario.begins)
        self._counting = Counting(scenario, seed)
        self.staff = Staff(scenario, self.agenda, self._counting.took)
        self._coming = arrivals(scenario, self._draws)
        self._more = True
        self._calling = 0
        self._open: dict[str, Played] = {}
        self.keep: Callable[[Played], None] | None = None
        """Called with each case that has closed."""

    def play(self, progress: Progress = lambda _: None) -> Tally:
        """Run until every case has closed, and return the figures."""
        self._next_arrival()
        ends = self._scenario.begins + timedelta(days=self._scenario.days)
        today = date.min
        while (self._more or self._open or self._calling) and self.agenda.now < ends + DRAIN and self.agenda.next():
            if self.agenda.now.date() != today:
                today = self.agenda.now.date()
                progress(min(1.0, (self.agenda.now - self._scenario.begins) / (ends - self._scenario.begins)))
        for played in self._open.values():
            self._counting.ended(played)
        tally = self._counting.tally
        for team, queue in self.staff.queues.items():
            queue.count(0, self.agenda.now)
            tally.areas[team] = queue.area
        return tally

    # Complaints

    def _next_arrival(self) -> None:
        arrival = next(self._coming, None)
        self._more = arrival is not None
        if arrival is not None:
            self.agenda.at(arrival.at, lambda: self._arrived(arrival))

    def _arrived(self, arrival: Arrival) -> None:
        self._counting.arrived(arrival.at)
        self._contact(arrival, 1)
        self._next_arrival()

    def _contact(self, arrival: Arrival, tries: int) -> None:
        """Let the customer wait for an answer, or open the case if the channel needs nobody."""
        terms = self._scenario.channels.get(arrival.channel) or ChannelTerms()
        if terms.team is None:
            self._open_case(arrival, None)
            return
        self._calling += 1
        answered: list[datetime] = []

        def done(_: Person) -> None:
            self._calling -= 1
            self._open_case(arrival, answered[0])

        task = Task(
            kind="answer",
            team=terms.team,
            urgent=False,
            due=arrival.at + self._answered_within(arrival),
            entered=self.agenda.now,
            takes=self._scenario.work["answer"].draw(self._draws, arrival.number, "answer", tries),
            begin=lambda _: answered.append(self.agenda.now),
            done=done,
        )
        self.staff.add(task)
        if terms.patience and not task.begun:
            patience = terms.patience.draw(self._draws, arrival.number, "patience", tries)
            self.agenda.at(self.agenda.now + patience, lambda: self._hang_up(task, arrival, terms, tries))

    def _answered_within(self, arrival: Arrival) -> timedelta:
        """Return the shortest time in which a first answer is promised."""
        rules = self._policies[arrival.mix.line].promises
        times = [
            length(rule.within).amount
            for rule in rules
            if rule.name is PromiseName.ACKNOWLEDGE and rule.concerns(arrival.mix.topic, arrival.channel)
        ]
        return min(times, default=timedelta(days=1))

    def _hang_up(self, task: Task, arrival: Arrival, terms: ChannelTerms, tries: int) -> None:
        if task.begun:
            return
        self.staff.withdraw(task)
        self._counting.hung_up(task, self.agenda.now)
        self._calling -= 1
        if self._draws.happens(terms.calls_again, arrival.number, "calls again", tries):
            again = self.agenda.now + terms.again_after.draw(self._draws, arrival.number, "again", tries)
            self._calling += 1

            def call_again() -> None:
                self._calling -= 1
                self._contact(arrival._replace(at=again), tries + 1)

            self.agenda.at(again, call_again)

    def _open_case(self, arrival: Arrival, answered: datetime | None) -> None:
        line, number = arrival.mix.line, arrival.number
        terms = self._scenario.orders[line]
        truth = truth_of(arrival, self._draws, terms)
        case_id = f"SIM-{self._draws.seed}-{number}"
        raw = complaint(arrival, case_id, truth, terms, self._policies[line], self._draws)
        if answered and arrival.channel in LIVE_CHANNELS:
            raw["answered_at"] = answered.isoformat()
        content, policy = admitted(raw, self.agenda.now, self._policies)
        people = People(number, truth, self._scenario, self._draws, self.agenda, self.staff)
        partners = Partners(self._scenario, self._draws, truth)

        def changed(played: Played) -> None:
            people.act(played)
            if played.over and self._open.pop(case_id, None) is not None:
                self._counting.ended(played)
                if self.keep:
                    self.keep(played)

        played = Played.open(content, policy, self.agenda, partners, changed)
        self._open[case_id] = played
        self._counting.tally.opened += 1
        played.begin()
