"""One way to print a benchmark: ours, theirs (or the limit), the ratio, and the target."""


class Table:
    def __init__(self, title):
        self.title, self.rows = title, []

    def at_most(self, what, ours, theirs, unit, target):
        self._add(what, ours, theirs, unit, "≤", target, ours <= target * theirs)

    def at_least(self, what, ours, theirs, unit, target):
        self._add(what, ours, theirs, unit, "≥", target, ours >= target * theirs)

    def _add(self, what, ours, theirs, unit, sign, target, met):
        self.rows.append((what, f"{number(ours)} {unit}".strip(), f"{number(theirs)} {unit}".strip(), f"{number(ours / theirs)} ×", f"{sign} {number(target)} ×",
                          "met" if met else "NOT MET"))

    def print(self):
        rows = [(self.title, "vouch", "against", "ratio", "target", ""), *self.rows]
        widths = [max(len(row[i]) for row in rows) for i in range(6)]
        for row in rows:
            print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))).rstrip())


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
