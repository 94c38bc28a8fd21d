"""The bodies of CSV that readers are compared on: 1 MB each, always the same."""

import random

BYTES = 1_000_000
SEED = 88_172_645


def short(draw):
    return f"{draw.random():.4f}".rstrip("0")


def medium(draw):
    return f"{draw.uniform(-3, 3):.3f}"


def long(draw):
    return f"{draw.uniform(-100, 100):.6f}"


def mixed(draw):
    """Empty cells, whole numbers, decimals of several lengths and exponents."""
    kind, value = draw.randrange(6), draw.random()
    forms = ("", f"{value * 100:.0f}", f"{value * 1000:.2f}", f"{value - 0.5:.5f}", f"{(value - 0.5) * 1e4:.1f}")
    return forms[kind] if kind < len(forms) else f"{value:e}"


# Name to the columns of a row and what makes a cell.
BODIES = {"8 short": (8, short), "28 medium": (28, medium), "20 long": (20, long), "mixed": (16, mixed)}


def write(folder):
    """Writes NAME.csv for each body unless it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (columns, cell) in BODIES.items():
        path = folder / f"{name.replace(' ', '-')}.csv"
        if path.exists():
            continue
        draw, lines, size = random.Random(SEED), [], 0
        while size < BYTES:
            lines.append(",".join(cell(draw) for _ in range(columns)) + "\n")
            size += len(lines[-1])
        path.write_text("".join(lines))
