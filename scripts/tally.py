# SPDX-License-Identifier: Apache-2.0
"""Adds up reports of tests: prints "PASSED FAILED SKIPPED" of all of them, and
names on the standard error those that failed.

A report is meson's testlog.json, one object a line (its JUnit file passes a
test that timed out), or pytest's JUnit file.
"""

import json
import sys
import xml.etree.ElementTree as ElementTree

PASSED, FAILED, SKIPPED = range(3)


def meson_outcomes(name):
    outcomes = {"OK": PASSED, "EXPECTEDFAIL": PASSED, "SKIP": SKIPPED}
    with open(name, encoding="utf-8") as log:
        for line in log:
            test = json.loads(line)
            yield test["name"], outcomes.get(test["result"], FAILED)


def junit_outcomes(name):
    for case in ElementTree.parse(name).iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = SKIPPED if "skipped" in kinds else PASSED
        if kinds & {"failure", "error"}:
            outcome = FAILED
        yield f"{case.get('classname')}: {case.get('name')}", outcome


def main():
    counts = [0, 0, 0]
    for name in sys.argv[1:]:
        meson = name.endswith(".json")
        outcomes = meson_outcomes if meson else junit_outcomes
        for test, outcome in outcomes(name):
            counts[outcome] += 1
            if outcome == FAILED:
                print("failed:", test, file=sys.stderr)
    print(*counts)


main()
