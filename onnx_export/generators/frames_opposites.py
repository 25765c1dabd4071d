"""Frames of statements and their opposites: negation, quantifier, antonym. The notation is that of frames."""

from __future__ import annotations

NEGATION = """
negation past a:clause *8 @
{a.yes}
it is true that {a.yes}
it is a fact that {a.yes}
it is not true that {a.no}
==
{a.no}
{a.never}
{a.fail}
it is not true that {a.yes}
it is not the case that {a.yes}

negation past s:person a:vp b:vp a<>b*4 *6
{s} {a.past} but did not {b}
{s} {a.past} without {b.ing}
{s} did not {b} but {a.past}
instead of {b.ing}, {s} {a.past}
{s} {a.past} rather than {b.past}
not {b.ing}, {s} {a.past}
? what did {s} do
? what did {s} not do

negation past a:clause b:clause a<>b*4 *5
{a.yes}, but {b.no}
{b.no}, but {a.yes}
{a.yes}, while {b.never}
although {b.no}, {a.yes}
{b.fail}, whereas {a.yes}
? what did not happen

negation past a:human b:human v:vp a<>b*3 v~ *5
{a} {v.past}, but {b} did not
{b} did not {v}, but {a} did
not {b} but {a} {v.past}
it was {a} and not {b} who {v.past}
unlike {b}, {a} {v.past}
{a} {v.past}, not {b}
? who {v.past}, {a} or {b}

negation past a:human g:gift h:gift g<>h*3 a~ *4
{a} bought {g.a} but not {h.a}
{a} bought {g.a}, not {h.a}
{a} did not buy {h.a} but {g.a}
instead of {h.a}, {a} bought {g.a}
what {a} bought was not {h.a} but {g.a}
? what did {a} buy

negation past s:person v:vp *6 @
{s} has {v.pp} [before|at least once]
at some point {s} {v.past}
there was a time when {s} {v.past}
==
{s} has never {v.pp}
{s} never {v.past}
at no time did {s} {v}
not once did {s} {v}

negation past v:vp c:city *4 @
[somebody|someone] {v.past} in {c}
in {c} there was [somebody|someone] who {v.past}
at least one person {v.past} in {c}
==
[nobody|no one] {v.past} in {c}
in {c}, [nobody|no one] {v.past}
not a single person {v.past} in {c}

negation present a:human r:building *3 @
{a} is allowed to enter {r}
{a} may enter {r}
{a} has permission to enter {r}
==
{a} is not allowed to enter {r}
{a} may not enter {r}
{a} has no permission to enter {r}
{a} is forbidden to enter {r}

negation present a:human v:vp *4 @
{a} does not have to {v}
{a} need not {v}
it is not necessary for {a} to {v}
==
{a} must not {v}
{a} is not allowed to {v}
{a} is forbidden to {v}
==
{a} has to {v}
{a} must {v}
{a} is obliged to {v}

negation present a:software b:software *3 @
{a} works without {b}
{a} does not need {b}
{b} is not needed for {a} to work
==
{a} works only with {b}
{a} needs {b}
{a} does not work without {b}

negation past a:human b:adj_neg *5 @
{a} was {b}
{a} was not {b.rival}
{a} wasn't {b.rival}
it was not true that {a} was {b.rival}
==
{a} was not {b}
{a} was {b.rival}
{a} wasn't {b}
"""
QUANTIFIER = """
quantifier past s:crowd v:vp *5 @
all {s} {v.past}
every one of the {s} {v.past}
each of the {s} {v.past}
the {s} all {v.past}
none of the {s} failed to {v}
==
none of the {s} {v.past}
no {s} {v.past}
not one of the {s} {v.past}
all the {s} failed to {v}

quantifier past s:crowd v:vp *5 @
all of the {s} {v.past}
every one of the {s} {v.past}
there were no {s} who did not {v}
without exception, the {s} {v.past}
==
not all of the {s} {v.past}
some of the {s} did not {v}
at least one of the {s} did not {v}
not every one of the {s} {v.past}

quantifier past s:crowd v:vp *4 @
some of the {s} {v.past}
at least one of the {s} {v.past}
there were {s} who {v.past}
not all of the {s} failed to {v}
==
none of the {s} {v.past}
not a single one of the {s} {v.past}
there were no {s} who {v.past}
not any of the {s} {v.past}

quantifier past s:crowd v:vp *4 @
most of the {s} {v.past}
more than half of the {s} {v.past}
the majority of the {s} {v.past}
less than half of the {s} failed to {v}
==
few of the {s} {v.past}
less than half of the {s} {v.past}
only a minority of the {s} {v.past}
most of the {s} did not {v}

quantifier past s:crowd t:crowd v:vp s<>t*3 *4
only the {s} {v.past}, not the {t}
the {s} {v.past}, but the {t} did not
of the {s} and the {t}, only the {s} {v.past}
none of the {t} {v.past}, but the {s} did
? who {v.past}, the {s} or the {t}

quantifier past s:crowd t:crowd v:vp s<>t*3 v~ *4
all of the {s} {v.past} but only some of the {t}
only some of the {t} {v.past} but all of the {s}
every one of the {s} {v.past}, but not every one of the {t}, only some
some but not all of the {t} {v.past}, and all of the {s}
? who all {v.past}

quantifier past s:crowd t:crowd v:vp s<>t*3 *3
more {s} than {t} {v.past}
fewer {t} than {s} {v.past}
{s} {v.past} in greater numbers than {t}
? who {v.past} in greater numbers

quantifier past s:crowd v:vp w:vp v<>w *3
most of the {s} {v.past} and a few {w.past}
a few of the {s} {w.past}, but most {v.past}
the majority of the {s} {v.past}, a few {w.past}
? what did most of the {s} do

quantifier past s:crowd v:vp *3 @
both {s} {v.past}
the two {s} both {v.past}
each of the two {s} {v.past}
==
neither of the {s} {v.past}
neither one of the two {s} {v.past}
none of the two {s} {v.past}
==
only one of the two {s} {v.past}
one of the two {s} {v.past}, the other did not
just one of the two {s} {v.past}

quantifier past p:person s:crowd v:vp *3 @
everyone except {p} {v.past}
all but {p} {v.past}
{p} was the only one who did not {v}
==
nobody except {p} {v.past}
only {p} {v.past}
{p} was the only one who {v.past}
"""
ANTONYM = """
antonym past u:topic o:opp_topic c:city o!*3 u~ *5
{u} in {c} [{o.past}|{o.syn.past}]
in {c}, {u} [{o.past}|{o.syn.past}]
it was in {c} that {u} [{o.past}|{o.syn.past}]
what [{o.past}|{o.syn.past}] in {c} was {u}
{u} [{o.past}|{o.syn.past}] in {c}
? what [{o.past}|{o.syn.past}] in {c}

antonym past a:human o:opp_object o!*4 a~ *10
{a} [{o.past}|{o.syn.past}]
it was {a} who [{o.past}|{o.syn.past}]
what {a} did was [{o}|{o.syn}]
the one who [{o.past}|{o.syn.past}] was {a}
{a} was the one to [{o}|{o.syn}]
? what did {a} do
? who [{o.past}|{o.syn.past}]

antonym future a:human o:opp_object o!*4 a~ *6
{a} will [{o}|{o.syn}]
{a} is going to [{o}|{o.syn}]
it is {a} who will [{o}|{o.syn}]
it is true that {a} will [{o}|{o.syn}]
{a} will be the one to [{o}|{o.syn}]
? who will [{o}|{o.syn}]

antonym past a:human o:opp_go o!*4 a~ *4
{a} [{o.past}|{o.syn.past}]
it was {a} who [{o.past}|{o.syn.past}]
the one who [{o.past}|{o.syn.past}] was {a}
it is true that {a} [{o.past}|{o.syn.past}]
? who [{o.past}|{o.syn.past}]

antonym past a:human o:opp_pair o!*4 a~ *5
{a} [{o.past}|{o.syn.past}]
{a} did not {o.anti}
it was {a} who [{o.past}|{o.syn.past}]
it is not true that {a} {o.anti.past}
{a} did [{o}|{o.syn}]

antonym present a:human d:opp_adj d!*4 a~ *5
{a} is [{d}|{d.twin}]
it is {a} who is [{d}|{d.twin}]
it is true that {a} is [{d}|{d.twin}]
[{d}|{d.twin}] is what {a} is
? who is [{d}|{d.twin}]

antonym past a:thing d:opp_quality d!*4 a~ *5
{a} was [{d}|{d.twin}]
what was [{d}|{d.twin}] was {a}
it was {a} that was [{d}|{d.twin}]
it is true that {a} was [{d}|{d.twin}]
? what was [{d}|{d.twin}]
"""
