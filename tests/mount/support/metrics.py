# SPDX-License-Identifier: Apache-2.0
"""A parser of Prometheus' text format that takes nothing but what the format
allows (prometheus.io/docs/instrumenting/exposition_formats)."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)")
HELP = re.compile(rf"# HELP ({NAME}) ((?:[^\\]|\\\\|\\n)+)")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge)")
ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


def _unescaped(value):
    return re.sub(r'\\["\\n]', lambda found: ESCAPES[found[0]], value)


def parse_metrics(data):
    """{(name, labels as sorted pairs): value} of the bytes; a ValueError says
    what is not allowed. Each metric has to have its help and its type."""
    text = data.decode()
    if not text.endswith("\n"):
        raise ValueError("no newline at its end")
    samples, types, helped = {}, {}, None
    for line in text[:-1].split("\n"):
        if found := HELP.fullmatch(line):
            helped = found[1]
        elif found := TYPE.fullmatch(line):
            if found[1] != helped or found[1] in types:
                raise ValueError(f"a type in the wrong place: {line}")
            types[found[1]] = found[2]
        else:
            found = SAMPLE.fullmatch(line)
            if not found or found[1] != helped or found[1] not in types:
                raise ValueError(f"no sample of {helped}: {line}")
            labels = tuple(sorted((name, _unescaped(value)) for name, value
                                  in re.findall(LABEL, found[2] or "")))
            if (found[1], labels) in samples:
                raise ValueError(f"twice: {line}")
            samples[found[1], labels] = float(found[7])
    for name, kind in types.items():
        if (kind == "counter") != name.endswith("_total"):
            raise ValueError(f"{name} is a {kind}")
        if not any(sample == name for sample, _ in samples):
            raise ValueError(f"{name} has no sample")
    return samples
