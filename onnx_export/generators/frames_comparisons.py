"""Frames of which thing has more of a quality. The notation is that of frames."""

from __future__ import annotations

COMPARATIVE = """
comparative present a:KIND b:KIND d:ADJ a<>b*3 d!*3 b~ *4
{a} is {d.more} than {b}
{b} is {d.anti.more} than {a}
{b} is not as {d} as {a}
{b} is less {d} than {a}
compared with {b}, {a} is {d.more}
of {a} and {b}, {a} is the {d.more}
{a} is the {d.more} one, not {b}
it is {a} that is {d.more} than {b}
{a} and {b} differ: {a} is {d.more}
? which is {d.more}, {a} or {b}
? which is {d.anti.more}, {a} or {b}
"""
COMPARED = (
    ("person", "adj_person"), ("human", "adj_person"), ("thing", "adj_thing"), ("city", "adj_place"),
    ("vehicle", "adj_vehicle"), ("software", "adj_software"),
)  # fmt: skip
COMPARATIVES = """
comparative present a:city b:city c:city b<>c*3 a<>c*2 *5
{a} is closer to {b} than to {c}
{a} is farther from {c} than from {b}
it is farther from {a} to {c} than from {a} to {b}
the distance from {a} to {b} is [shorter|smaller] than the distance from {a} to {c}
from {a}, {b} is nearer than {c}
{c} is not as close to {a} as {b} is
? which city is closer to {a}, {b} or {c}

comparative past a:person b:person r:rel_early a<>b*3 r!*3 *4
{a} arrived {r} than {b}
{b} arrived {r.rival} than {a}
{b} did not arrive as {r.short} as {a}
compared with {b}, {a} arrived {r}
of the two, {a} and {b}, it was {a} who arrived {r}
? who arrived {r}, {a} or {b}

comparative past a:person b:person t:countable a<>b*3 t~ *4
{a} sold more {t} than {b}
{b} sold fewer {t} than {a}
{b} did not sell as many {t} as {a}
the number of {t} that {a} sold was higher than that of {b}
compared with {b}, {a} sold more {t}
? who sold more {t}, {a} or {b}

comparative present a:thing b:thing n:price m:price a<>b*3 *3
{a} costs more than {b}
{b} costs less than {a}
{b} is cheaper than {a}
{a} is more expensive than {b}
the price of {a} is higher than that of {b}
{b} does not cost as much as {a}
? which costs more, {a} or {b}

comparative present a:person b:person d:adj_person c:person a<>b*2 a<>c d!*3 *3
{a} is the {d.most} of the three, ahead of {b} and {c}
{b} and {c} are both {d.anti.more} than {a}
neither {b} nor {c} is as {d} as {a}
{a} is {d.more} than both {c} and {b}
? who is the {d.most}

comparative none a:person b:person t:game a<>b*3 *3
{a} plays {t} better than {b}
{b} plays {t} worse than {a}
{a} is a better {t} player than {b}
{b} does not play {t} as well as {a}
at {t}, {b} is not as good as {a}
? who plays {t} better

comparative past a:topic b:topic r:rel_grow a<>b*3 r!*2 *3
{a} rose {r} than {b}
{b} rose {r.rival} than {a}
the rise in {a} was {r.noun} than that in {b}
{b} did not rise as {r.short} as {a}
? what rose {r}
"""


def comparative() -> str:
    """The comparative blocks for every kind of thing.

    Example:
        >>> "a:city b:city d:adj_place" in comparative()
        True
    """
    return "\n".join(COMPARATIVE.replace("KIND", kind).replace("ADJ", adj) for kind, adj in COMPARED)
