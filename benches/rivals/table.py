"""Outcomes as Markdown: the goals first, then every figure, then who does not run here and why."""


def number(value):
    """Returns a figure with three or four digits that count."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}" if abs(value) >= 100 else f"{value:.3g}"


def aligned(rows):
    """Returns a Markdown table whose columns line up as text too; the first row is the head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [line(row, widths) for row in rows]
    rule = "|" + "|".join("-" * (width + 1) + (":" if at else "-") for at, width in enumerate(widths)) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def line(row, widths):
    cells = [row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]
    return "| " + " | ".join(cells) + " |"


def goals(outcomes):
    """Returns the table of ratios."""
    rows = [["goal", "thicket", "rival", "its figure", "ratio", "wanted", "holds"]]
    for outcome in outcomes:
        for goal in outcome.goals:
            figures = [number(goal.thicket), goal.rival, number(goal.theirs), number(goal.ratio)]
            rows.append([goal.what, *figures, goal.wanted, "yes" if goal.holds else "NO"])
    return aligned(rows) if len(rows) > 1 else "No goal was measured."


def details(outcome):
    """Returns all figures of a part."""
    names = list(dict.fromkeys(name for figures in outcome.figures.values() for name in figures))
    rows = [["", *names]]
    for row, figures in outcome.figures.items():
        rows.append([row, *(number(figures.get(name)) for name in names)])
    text = f"## {outcome.title}\n\n" + (aligned(rows) if names else "Nothing was measured.")
    missing = "\n".join(f"- {name}: {reason}" for name, reason in outcome.missing.items())
    return text + (f"\n\nNot measured here:\n\n{missing}" if missing else "")


def document(circumstances, outcomes):
    """Returns the whole report."""
    parts = [f"# thicket and its rivals\n\n{circumstances}", f"## Ratios\n\n{goals(outcomes)}"]
    return "\n\n".join([*parts, *map(details, outcomes)]) + "\n"
