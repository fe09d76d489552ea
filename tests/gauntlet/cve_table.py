#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether docs/cve.md and the tests know of each other.

Each hole of HOLES has a row, each test that a row names is in the file that it names, and each test of tests/gauntlet
is in a row of its own id."""
import pathlib
import re
import sys

HOLES = """
G01 G02 G03 G04 G05 G07 G09 G10 G11 G13 G14 G17 G18 G19 G23 G25 G26 G27 G28 G29 G30 G34 G37 G38 G39 G41 G42 G43 G44 G45 G46 G48 G51 G52
G56 G57 G58 G60 G61 G62 G63 G64 G66 G67 G68 G69 G71 G74 G75 G77 G78 G80 G84 G93 G96 G97 G98 G99 G109 G111 G112 G115 G116
""".split()

tests = pathlib.Path(__file__).resolve().parents[1]
problems = []
rows = {}  # id: what its last column says
for number, line in enumerate((tests.parent / "docs/cve.md").read_text().splitlines(), 1):
    if not re.match(r"\| [GX]\d", line):
        continue
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    if len(cells) != 4 or not all(cells):
        problems.append(f"docs/cve.md:{number}: wants four columns")
    elif cells[0] in rows:
        problems.append(f"docs/cve.md:{number}: {cells[0]} is there twice")
    else:
        rows[cells[0]] = cells[3]

for hole in HOLES:
    if hole not in rows:
        problems.append(f"{hole} has no row")

named = set()  # (file, test) by some row, and by the row of its own id
for hole, cell in rows.items():
    for entry in cell.split("<br>"):
        match = re.fullmatch(r"`([\w/.]+)` (\w+)", entry)
        if not match:
            problems.append(f"{hole}: not a file and a test: {entry}")
            continue
        file, test = match.groups()
        path = tests / file
        defined = re.compile(rf"\bTEST(_F|_P)?\(\s*\w+,\s*{test}\s*\)|\b{test}\(const")
        if not path.is_file() or not defined.search(path.read_text()):
            problems.append(f"{hole}: there is no {test} in tests/{file}")
        named.add((file, test))
        prefix = re.match(r"[gx]\d+", test)
        if prefix and file.startswith("gauntlet/"):
            named.add((hole, test))

for path in sorted((tests / "gauntlet").glob("*_test.cpp")):
    for test in re.findall(r"\bTEST(?:_F|_P)?\(\s*\w+,\s*(\w+)\s*\)", path.read_text()):
        match = re.match(r"([gx])(\d+)_", test)
        if not match:
            problems.append(f"{path.name}: {test} has no id")
            continue
        hole = f"{match[1].upper()}{int(match[2]):02d}"
        if (hole, test) not in named:
            problems.append(f"{path.name}: {test} is not in the row of {hole}")

print("\n".join(problems) or f"{len(rows)} rows")
sys.exit(bool(problems))
