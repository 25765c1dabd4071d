"""Frames of what things are like and where: binding, spatial, comparative, number. The notation is that of frames_roles."""

from __future__ import annotations

BINDING = """
binding present a:thing b:thing x:quality y:quality x<>y*3 x~ *5 &
{a} is {x} and {b} is {y}
{b} is {y} and {a} is {x}
{a} is {x}, while {b} is {y}
{b} is {y}, whereas {a} is {x}
the {x} thing is {a} and the {y} one is {b}
of {a} and {b}, {a} is {x} and the other {y}
one is {x} and one is {y}: {a} is the {x} one, {b} the {y} one
? which is {x}, {a} or {b}
? what is {y}

binding present a:thing b:thing x:quality y:quality x<>y*3 x~ *6 &
there is {x.a} {a.bare} next to {y.a} {b.bare}
there is {y.a} {b.bare} next to {x.a} {a.bare}
we can see {x.a} {a.bare} next to {y.a} {b.bare}
we can see {y.a} {b.bare} next to {x.a} {a.bare}
{x.a} {a.bare} is beside {y.a} {b.bare}
{y.a} {b.bare} is beside {x.a} {a.bare}
the {a.bare} next to the {b.bare} is {x}, and the {b.bare} is {y}
? what is next to the {x} {a.bare}

binding past p:human a:gift b:gift x:colour y:colour x<>y*3 y~ *3 &
{p} [bought|purchased] {x.a} {a.bare} and {y.a} {b.bare}
{p} [bought|purchased] {y.a} {b.bare} and {x.a} {a.bare}
{p} [bought|purchased] two things: {x.a} {a.bare} and {y.a} {b.bare}
{a} that {p} [bought|purchased] was {x} and {b} was {y}
{b} that {p} [bought|purchased] was {y}, {a} {x}
what {p} [bought|purchased] was {x.a} {a.bare} along with {y.a} {b.bare}
? what did {p} [buy|purchase] in {x}

binding present a:human b:human g:garment x:colour y:colour x<>y*3 *4 &
{a} is wearing {x.a} {g} and {b} is wearing {y.a} {g}
{b} is wearing {y.a} {g} and {a} is wearing {x.a} {g}
{b} has {y.a} {g} on, {a} {x.a} one
{a} is dressed in {x.a} {g}, {b} in {y.a} one
{b} wears {y.a} {g}, while {a} wears {x.a} one
{x.a} {g} is worn by {a} and {y.a} one by {b}
? who is wearing {x.a} {g}
? what is {a} wearing

binding present a:human b:human g:garment h:garment x:colour y:colour x<>y*2 g<>h*2 a<>b *3 &
{a} in {x.a} {g} is standing beside {b} in {y.a} {h}
{b} in {y.a} {h} is standing beside {a} in {x.a} {g}
{a}, who wears {x.a} {g}, stands next to {b}, who wears {y.a} {h}
next to {b} in {y.a} {h} stands {a} in {x.a} {g}
{b} and {a} stand side by side, {b} in {y.a} {h} and {a} in {x.a} {g}
? who is wearing {x.a} {g}

binding past a:human b:human x:mood y:mood x<>y*3 y~ *4 &
{a} was {x} and {b} was {y}
{b} was {y} and {a} was {x}
{a} was {x}, but {b} was {y}
while {b} was {y}, {a} was {x}
{b} was the one who was {y}, and {a} the one who was {x}
the {x} one was {a} and the {y} one was {b}
? who was {x}
? who was {y}

binding present a:person b:person x:activity y:activity x<>y*3 x~ *4 &
{a} is {x} and {b} is {y}
{b} is {y} and {a} is {x}
while {a} is {x}, {b} is {y}
{b} is {y}, whereas {a} is {x}
the one {x} is {a} and the one {y} is {b}
? who is {x}
? what is {b} doing

binding present a:person b:person x:job y:job x<>y*3 y~ *3 &
{a} is {x.a} and {b} is {y.a}
{b} is {y.a} and {a} is {x.a}
{b} works as {y.a}, {a} as {x.a}
the {x} is called {a} and the {y} {b}
by profession, {b} is {y.a} and {a} {x.a}
? who is the {x}
? what is the profession of {b}

binding past a:person b:person t:gift u:gift t<>u*3 u~ *3 &
{a} carried {t.a} and {b} carried {u.a}
{b} carried {u.a} and {a} carried {t.a}
{t.a} was carried by {a} and {u.a} by {b}
{a} carried {t.a}, whereas {b} had {u.a}
{b} was carrying {u.a} and {a} {t.a}
? who carried {t.a}
? what did {b} carry

binding past a:person b:person c:city d:city c<>d*3 d~ *3 &
{a} lived in {c} and {b} in {d}
{b} lived in {d} and {a} in {c}
{c} was the home of {a}, {d} that of {b}
the home of {b} was in {d} and the home of {a} in {c}
{a} was a resident of {c}, {b} of {d}
? who lived in {c}
? where did {b} live

binding none a:company b:company n:percent m:percent n<>m*3 m~ *2 &
{a} grew by {n} percent and {b} by {m} percent
{b} grew by {m} percent and {a} by {n} percent
the growth of {a} was {n} percent, that of {b} {m} percent
while {b} grew by {m} percent, {a} grew by {n} percent
? by how many percent did {a} grow

binding past a:happening b:happening d:day e:day d<>e*3 e~ *2 &
{a} was on {d} and {b} on {e}
{b} was on {e} and {a} on {d}
on {d} there was {a}, on {e} {b}
{b} took place on {e}, {a} on {d}
{d} was the day of {a} and {e} that of {b}
? when was {a}
? when was {b}
"""
SPATIAL = """
spatial present a:thing b:thing a<>b*3 r!*3 r:rel_left *6
{a} is to the {r} of {b}
{b} is to the {r.rival} of {a}
{a} [stands|is|lies] on the {r}-hand side of {b}
to the {r} of {b} there is {a}
to the {r.rival} of {a} is {b}
{a} can be seen to the {r} of {b}
{b} is on the {r.rival} and {a} on the {r}
on the {r} is {a} and on the {r.rival} {b}
? what is to the {r} of {b}
? what is to the {r.rival} of {a}

spatial present a:thing b:thing r:rel_thing a<>b*3 r!*3 *8
{a} is {r} {b}
{b} is {r.rival} {a}
{a} can be [seen|found] {r} {b}
{r} {b} there is {a}
{r.rival} {a} is {b}
what is {r} {b} is {a}
it is {b} that is {r.rival} {a}
? what is {r} {b}
? what is {r.rival} {a}

spatial present a:human b:human r:rel_person a<>b*3 r!*2 *4
{a} is standing {r} {b}
{b} is standing {r.rival} {a}
{r} {b}, {a} is standing
{r} {b} stands {a}
it is {a} who is standing {r} {b}
{b} is the one who is standing {r.rival} {a}
? who is {r} {b}

spatial present a:city b:city r:rel_compass a<>b*3 r!*3 *5
{a} [is|lies|is located] {r} of {b}
{b} [is|lies|is located] {r.rival} of {a}
{a} [is|lies] to the {r} of {b}
to the {r.rival} of {a} lies {b}
{r} of {b} you will find {a}
coming from {b}, you travel {r} to reach {a}
? which city lies {r} of {b}

spatial present a:building b:building r:rel_compass a<>b*3 r!*3 *3
{a} is {r} of {b}
{b} is {r.rival} of {a}
{a} stands to the {r} of {b}
going {r} from {b}, you come to {a}
? which building is {r} of {b}

spatial present a:container b:container a<>b*4 *3
{a} contains {b}
{b} is [inside|in] {a}
{a} has {b} inside
inside {a} there is {b}
{b} is contained in {a}
{b} has been put into {a}
? what is inside {a}
? what contains {b}

spatial present a:small b:container c:container b<>c*3 c~ d:small a<>d *4 &
{a} is in {b} and {d} is in {c}
{d} is in {c} and {a} is in {b}
{b} contains {a}, {c} {d}
inside {c} is {d} and inside {b} {a}
you will find {a} in {b} and {d} in {c}
? where is {a}
? what is in {c}

spatial present a:building b:building c:building a<>b*3 a<>c*3 *2
{a} is between {b} and {c}
{a} is between {c} and {b}
{b} and {c} have {a} between them
between {c} and {b} stands {a}
{c} is on one side of {a} and {b} on the other
? what is between {b} and {c}

spatial past a:human b:building c:building b<>c*3 c~ *3
{a} [walked|went] from {b} to {c}
{a} left {b} and [walked|went] to {c}
from {b}, {a} [walked|went] to {c}
{a} came to {c} from {b}
? where did {a} go from {b}

spatial past a:vehicle r:rel_move b:building r! b~ *3
{a} [drove|moved|went] {r} {b}
it was {r} {b} that {a} [drove|moved|went]
{a} was [driving|moving|going] {r} {b}
the direction of {a} was {r} {b}
? where did {a} go
"""
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
NUMBER = """
number past p:person n:count t:countable n~*3 t~ p~ *6
{p} counted {n} {t}
{n} {t} were counted by {p}
it was {n} {t} that {p} counted
the number of {t} that {p} counted was {n}
{p} counted a total of {n} {t}
? how many {t} did {p} count

number present n:count t:countable b:building n~*3 t~ *5
there are {n} {t} in {b}
in {b} there are {n} {t}
{b} [has|contains] {n} {t}
the number of {t} in {b} is {n}
{n} {t} are in {b}
? how many {t} are there in {b}

number present t:priced n:price n~*3 t~ *5
{t} costs {n} dollars
the price of {t} is {n} dollars
one has to pay {n} dollars for {t}
{t} is priced at {n} dollars
for {n} dollars you can have {t}
? how much does {t} cost

number none h:happening y:year h~ y~*3 *5
{h} [took place|happened] in {y.d}
in {y.d}, {h} [took place|happened]
it was in {y.d} that {h} [took place|happened]
the year of {h} was {y.d}
{h} dates from {y.d}
? when did {h} take place
? in which year was {h}

number none h:happening m:month n:date n~*3 m~*2 *4
{h} was on {m} {n.d}
{h} was on the {n.ordinal} of {m}
on {m} {n.d} there was {h}
{h} fell on {n.d} {m}
the date of {h} was the {n.ordinal} of {m}
? when was {h}

number past u:topic n:percent o:opp_plain n~*3 u~ o!*2 *5
{u} {o.past} by {n} [percent|per cent|%]
there was a {n} [percent|per cent] {o.noun} in {u}
the {o.noun} in {u} was {n} [percent|per cent]
by {n} percent, {u} {o.past}
? by how many percent did {u} {o}

number past h:happening n:count z:timeunit n~*3 h~ z~ *5
{h} lasted {n} {z}
{h} [went on for|took] {n} {z}
the duration of {h} was {n} {z}
it took {n} {z} until {h} was over
after {n} {z}, {h} was over
? how long did {h} last

number present a:person n:age n~*3 a~ *4
{a} is {n} years old
{a} is {n} years of age
the age of {a} is {n}
{a} is aged {n}
? how old is {a}

number past p:person n:count m:count t:countable u:countable n<>m*3 m~ *4 &
{p} counted {n} {t} and {m} {u}
{p} counted {m} {u} and {n} {t}
{n} {t} and {m} {u} were counted by {p}
the {t} that {p} counted numbered {n}, the {u} {m}
? how many {t} did {p} count

number none t:countable n:count b:building r:bound r! *4
{b} has {r.more} {n} {t}
there are {r.more} {n} {t} in {b}
the number of {t} in {b} is {r.value} {n}
in {b} there are {r.more} {n} {t}
? how many {t} are in {b}

number present t:countable n:count b:building @ *3
{b} has at least {n} {t}
there are no fewer than {n} {t} in {b}
the number of {t} in {b} is {n} or more
{b} has {n} or more {t}
{b} has more than [{n.last.d}|{n.last.w}] {t}
==
{b} has fewer than {n} {t}
there are fewer than {n} {t} in {b}
the number of {t} in {b} is below {n}
{b} does not have as many as {n} {t}

number past a:team b:team n:goals m:goals n<>m*3 m~ *3 &
the {a} scored {n} goals and the {b} {m}
the {b} scored {m} goals and the {a} {n}
{n} goals were scored by the {a} and {m} by the {b}
{m} was the number of goals of the {b}, {n} that of the {a}
? how many goals did the {a} score

number present a:thing b:city c:city n:distance n~*3 *3
{b} is {n} kilometres from {c}
{c} is {n} kilometres away from {b}
the distance between {b} and {c} is {n} kilometres
it is {n} kilometres from {c} to {b}
? how far is {b} from {c}

number none h:happening n:hour n~*3 *3
{h} [starts|begins] at {n.clock}
at {n.clock}, {h} [starts|begins]
the start of {h} is at {n.clock}
it is at {n.clock} that {h} [starts|begins]
? at what time does {h} start
"""


def comparative() -> str:
    """The comparative blocks for every kind of thing.

    Example:
        >>> "a:city b:city d:adj_place" in comparative()
        True
    """
    return "\n".join(COMPARATIVE.replace("KIND", kind).replace("ADJ", adj) for kind, adj in COMPARED)
