"""What a part found: tables of figures, goals, and the rivals that do not run here."""

from dataclasses import dataclass, field


@dataclass
class Goal:
    """A figure of thicket's held against a rival's in the same run."""

    what: str
    thicket: float
    rival: str
    theirs: float
    ratio: float
    wanted: str
    holds: bool


def at_least(what, thicket, rival, theirs, times):
    """The rival needs at least `times` as much as thicket."""
    ratio = theirs / thicket
    return Goal(what, thicket, rival, theirs, ratio, f">= {times}", ratio >= times)


def at_most(what, thicket, rival, theirs, times):
    """thicket needs at most `times` as much as the rival."""
    ratio = thicket / theirs
    return Goal(what, thicket, rival, theirs, ratio, f"<= {times}", ratio <= times)


def within(what, thicket, limit):
    """thicket's figure stays below a limit that no rival sets."""
    return Goal(what, thicket, "limit", limit, thicket / limit, "<= 1", thicket <= limit)


def reaching(what, thicket, limit):
    """thicket's figure is at least a limit that no rival sets."""
    return Goal(what, thicket, "limit", limit, thicket / limit, ">= 1", thicket >= limit)


def more(what, thicket, rival, theirs, times):
    """thicket does at least `times` as much as the rival."""
    ratio = thicket / theirs
    return Goal(what, thicket, rival, theirs, ratio, f">= {times}", ratio >= times)


@dataclass
class Outcome:
    """A part's title, its unit, figures[row][contender], and why others are missing."""

    title: str
    figures: dict = field(default_factory=dict)
    goals: list = field(default_factory=list)
    missing: dict = field(default_factory=dict)

    def put(self, row, contender, value):
        self.figures.setdefault(row, {})[contender] = value

    def least(self, row, contender, value):
        """Keeps the lowest of several rounds."""
        known = self.figures.setdefault(row, {}).get(contender, value)
        self.figures[row][contender] = min(known, value)

    def most(self, row, contender, value):
        """Keeps the highest of several rounds."""
        known = self.figures.setdefault(row, {}).get(contender, value)
        self.figures[row][contender] = max(known, value)

    def get(self, row, contender):
        return self.figures.get(row, {}).get(contender)

    def hold(self, goal, what, row, rival, times, name="thicket"):
        """Adds a goal if both have a figure in that row; thicket's is that of `name`."""
        ours, theirs = self.get(row, name), self.get(row, rival)
        if ours and theirs:
            self.goals.append(goal(what, ours, rival, theirs, times))
