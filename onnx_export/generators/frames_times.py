"""Frames of what came before what. The notation is that of frames."""

from __future__ import annotations

TEMPORAL = """
temporal past s:person a:vp b:vp a<>b *8
{s} {a.past} before {b.ing}
before {b.ing}, {s} {a.past}
{s} {b.past} after {a.ing}
after {a.ing}, {s} {b.past}
first {s} {a.past}, then {s} {b.past}
{s} {a.past} and then {b.past}
{s} {a.past} first and {b.past} [later|afterwards]
having {a.pp}, {s} {b.past}
{s} did not {b} until after {a.ing}
by the time {s} {b.past}, {s} had already {a.pp}
? what did {s} do before {b.ing}
? what did {s} do after {a.ing}

temporal past a:clause b:clause a<>b *8
{a.yes} before {b.yes}
before {b.yes}, {a.yes}
{b.yes} after {a.yes}
after {a.yes}, {b.yes}
{a.yes}, and later {b.yes}
{b.yes}, but before that {a.yes}
first {a.yes}, then {b.yes}
only after {a.yes} was it that {b.yes}
? what happened before {b.yes}
? what happened after {a.yes}

temporal past a:happening b:happening a<>b *6
{a} [took place|happened] before {b}
{b} [took place|happened] after {a}
{a} preceded {b}
{b} followed {a}
{a} was followed by {b}
{b} was preceded by {a}
first came {a}, then {b}
{b} came later than {a}
{a} was earlier than {b}
? what came before {b}
? what followed {a}

temporal past a:person b:person h:happening a<>b h~ *3
{a} left {h} before {b}
{b} left {h} after {a}
{a} was the first of the two to leave {h}, {b} the second
{b} stayed at {h} longer than {a}
{a} had left {h} when {b} left
? who left {h} [first|earlier], {a} or {b}

temporal none a:clause y:year r:rel_when r! y~ *5
{a.yes} {r} {y.d}
{r} {y.d}, {a.yes}
it was {r} {y.d} that {a.yes}
? was it before or after {y.d} that {a.yes}

temporal none a:person y:year z:year c:city d:city y<>z y~ c~ *4 &
{a} moved to {c} in {y.d} and to {d} in {z.d}
{a} moved to {d} in {z.d} and to {c} in {y.d}
in {y.d}, {a} moved to {c}; in {z.d}, to {d}
the year {a} moved to {c} was {y.d}, that of the move to {d} {z.d}
? when did {a} move to {d}
? where did {a} move in {y.d}

temporal none a:person d:hour e:hour v:vp w:vp d<>e v~ *4 &
at {d.clock} {a} {v.past} and at {e.clock} {w.past}
{a} {v.past} at {d.clock} and {w.past} at {e.clock}
{a} {w.past} at {e.clock}, having {v.pp} at {d.clock}
it was at {d.clock} that {a} {v.past} and at {e.clock} that {a} {w.past}
? when did {a} {v}
? what did {a} do at {e.clock}

temporal none a:person c:city d:city y:year r! r:rel_until y~ *4
{a} [lived|stayed] in {c} {r} {y.d}
{r} {y.d}, {a} [lived|stayed] in {c}
{c} was the home of {a} {r} {y.d}
it was in {c} that {a} [lived|stayed] {r} {y.d}
? where did {a} live {r} {y.d}

temporal none a:happening b:happening m:month n:month m<>n m~ *4 &
{a} was in {m} and {b} in {n}
{b} was in {n} and {a} in {m}
in {m} there was {a}, in {n} {b}
{m} saw {a} and {n} saw {b}
? when was {a}
? in which month was {b}
"""
