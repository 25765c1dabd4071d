"""Frames of clauses: temporal, cause, condition, negation, quantifier, antonym. The notation is that of frames_roles.

A line `==` parts meanings that exclude one another: the near-miss `@` takes the other part.
"""

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
CAUSE = """
cause past a:trouble b:trouble a<>b*3 b~ *6
{a} caused {b}
{b} was caused by {a}
{a} led to {b}
{b} was [the result of|due to] {a}
{b} [resulted from|came from] {a}
{a} [resulted in|brought about] {b}
the cause of {b} was {a}
{a} was the reason for {b}
because of {a}, there was {b}
? what [caused|led to] {b}
? what was the [result|effect] of {a}

cause past a:clause b:clause a<>b*4 b~ *10
{b.yes} because {a.yes}
because {a.yes}, {b.yes}
{a.yes}, so {b.yes}
{a.yes}, and as a result {b.yes}
{a.yes}, and that is why {b.yes}
the reason why {b.yes} was that {a.yes}
{b.yes} due to the fact that {a.yes}
it was because {a.yes} that {b.yes}
{a.yes}; therefore, {b.yes}
? why was it that {b.yes}
? what [was the result|happened] because {a.yes}

cause past s:person a:vp b:vp a<>b*4 b~ *4
{s} {a.past} in order to {b}
in order to {b}, {s} {a.past}
{s} {a.past} so as to {b}
it was in order to {b} that {s} {a.past}
the reason why {s} {a.past} was to {b}
? why did {s} {a}

cause past a:person b:person c:clause a<>b c~ a~ *3
{a} blamed {b} because {c.yes}
because {c.yes}, {a} blamed {b}
{b} was blamed by {a} because {c.yes}
the reason why {a} blamed {b} was that {c.yes}
? why did {a} blame {b}
? who was blamed because {c.yes}

cause past a:clause b:clause *4 @
{b.yes} because {a.yes}
{b.yes} since {a.yes}
{a.yes}, so {b.yes}
because {a.yes}, {b.yes}
? why was it that {b.yes}
==
{b.yes} although {a.yes}
{b.yes} even though {a.yes}
{a.yes}, but {b.yes}
despite the fact that {a.yes}, {b.yes}
"""
CONDITION = """
condition none a:clause b:clause a<>b*3 b~ *4
if {a.now}, {b.will}
{b.will} if {a.now}
{b.will}, provided that {a.now}
should it be that {a.now}, {b.will}
whenever {a.now}, {b.will}
? when is it that {b.will}

condition none a:clause b:clause *5 @
if {a.now}, {b.will}
{b.will} if {a.now}
{b.will}, provided that {a.now}
{b.will} as long as {a.now}
==
unless {a.now}, {b.will}
{b.will} unless {a.now}
if {a.not_now}, {b.will}
{b.will}, provided that {a.not_now}

condition none a:clause b:clause *4 @
{b.will} only if {a.now}
only if {a.now} will it be that {b.will}
unless {a.now}, {b.wont}
if {a.not_now}, {b.wont}
{b.wont} unless {a.now}
==
{b.wont} if {a.now}
if {a.now}, {b.wont}
{b.will} only if {a.not_now}
as long as {a.now}, {b.wont}

condition none a:clause b:clause *2 @
if {a.now}, {b.will}
{b.will} if {a.now}
when {a.now}, {b.will}
==
{b.will} even if {a.not_now}
{b.will} whether or not {a.now}
whether {a.now} or not, {b.will}
"""
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
