"""Frames of who did what to whom: role, symmetric, entity.

A block is a header (category, tense, slots `name:kind`, near-misses) and one surface form a line; every form of a block
says the same. `[x|y]` is a free choice, `?` marks a question that the meaning answers. Near-misses: `a<>b` exchanges
two slots, `a~` replaces one by another of its kind, `v!` takes the opposite. `&` marks two facts of
one kind: exchanged, they still answer every question.
"""

from __future__ import annotations

TRANSITIVE = """
role past a:KIND b:KIND v:VERB a<>b*3 a~ *6
{a} {v.past} {b}
{b} {b.was} {v.pp} by {a}
it was {a} {a.who} {v.past} {b}
it was {b} {b.who} {a} {v.past}
it was {b} {b.who} {b.was} {v.pp} by {a}
{a} {a.was} {a.one} {a.who} {v.past} {b}
{b} {b.was} {b.one} {b.who} {a} {v.past}
{a.one} {a.who} {v.past} {b} {a.was} {a}
{b.one} {b.who} {b.was} {v.pp} by {a} {b.was} {b}
what {a} did was {v} {b}
it was by {a} that {b} {b.was} {v.pp}
{b} got {v.pp} by {a}
? [who|which one] {v.past} {b}
? [who|which one] was {v.pp} by {a}
? [who|which one] did {a} {v}
? by whom {b.was} {b} {v.pp}

role present a:KIND b:KIND v:VERB a<>b*3 b~ *2
{a} {a.is_} {v.ing} {b}
{b} {b.is_} being {v.pp} by {a}
it is {a} {a.who} {a.is_} {v.ing} {b}
it is {b} {b.who} {a} {a.is_} {v.ing}
{b} {b.is_} {b.one} being {v.pp} by {a}
{a} {a.is_} {a.one} {v.ing} {b}
{a.one} {v.ing} {b} {a.is_} {a}
{b.one} {b.who} {a} {a.is_} {v.ing} {b.is_} {b}
? who is {v.ing} {b}
? who is being {v.pp} by {a}

role future a:KIND b:KIND v:VERB a<>b*3
{a} will {v} {b}
{b} will be {v.pp} by {a}
it is {a} {a.who} will {v} {b}
it is {b} {b.who} {a} will {v}
{a} {a.is_} going to {v} {b}
{b} {b.is_} going to be {v.pp} by {a}
{b} {b.is_} {b.one} {a} will {v}
? who will {v} {b}
? who will be {v.pp} by {a}

role present a:KIND b:KIND v:VERB a<>b*3
{a} {a.has} {v.pp} {b}
{b} {b.has} been {v.pp} by {a}
it is {a} {a.who} {a.has} {v.pp} {b}
{a} {a.is_} {a.one} {a.who} {a.has} {v.pp} {b}
{b} {b.is_} {b.one} {b.who} {b.has} been {v.pp} by {a}
? who has {v.pp} {b}
? who has been {v.pp} by {a}
"""
KINDS = (
    ("person", "verb_person"), ("human", "verb_person"), ("animal", "verb_animal"), ("vehicle", "verb_vehicle"),
    ("company", "verb_company"), ("country", "verb_country"), ("software", "verb_software"),
)  # fmt: skip
ROLES = """
role past a:human b:human t:gift a<>b*3 t~
{a} [gave|handed] {b} {t.a}
{a} [gave|handed] {t.a} to {b}
{b} [got|received] {t.a} from {a}
{b} was [given|handed] {t.a} by {a}
{t.a} was [given|handed] to {b} by {a}
it was {a} who [gave|handed] {b} {t.a}
it was to {b} that {a} [gave|handed] {t.a}
the one who [got|received] {t.a} from {a} was {b}
? who [gave|handed] {b} {t.a}
? who [got|received] {t.a} from {a}
? what did {a} give {b}

role past a:human b:human t:gift v:verb_give a<>b*3 t~
{a} {v.past} {t} to {b}
{t} was {v.pp} to {b} by {a}
it was {a} who {v.past} {t} to {b}
it was {b} to whom {a} {v.past} {t}
the one who {v.past} {t} to {b} was {a}
what {a} {v.past} to {b} was {t}
{t} is what {a} {v.past} to {b}
? who {v.past} {t} to {b}
? to whom did {a} {v} {t}

role past a:buyer b:buyer t:gift a<>b*3 b~ *2
{a} sold {t} to {b}
{b} [bought|purchased] {t} from {a}
{t} was sold to {b} by {a}
{t} was [bought|purchased] from {a} by {b}
it was {a} {a.who} sold {b} {t}
it was from {a} that {b} [bought|purchased] {t}
{b} was the buyer of {t} that {a} sold
{a} was the seller of {t} that {b} [bought|purchased]
? who [bought|purchased] {t} from {a}
? who sold {t} to {b}

role past a:human b:human t:gift a<>b*3 t~
{a} lent {b} {t.a}
{a} lent {t.a} to {b}
{b} borrowed {t.a} from {a}
{t.a} was lent to {b} by {a}
{t.a} was borrowed from {a} by {b}
it was {b} who borrowed {t.a} from {a}
it was {a} who lent {b} {t.a}
? who lent {b} {t.a}
? who borrowed {t.a} from {a}

role past a:buyer b:buyer t:building a<>b*3 t~
{a} rented out {t} to {b}
{b} rented {t} from {a}
{b} was the tenant of {a} in {t}
{a} was the landlord of {b} in {t}
{t} was rented from {a} by {b}
? who rented {t} from {a}

role past a:team b:team c:city a<>b*3 c~ *3
the {a} [beat|defeated] the {b} in {c}
the {b} lost to the {a} in {c}
the {b} [were beaten|were defeated] by the {a} in {c}
in {c}, the {a} won against the {b}
the {a} [won over|were victorious over] the {b} in {c}
it was the {a} that [beat|defeated] the {b} in {c}
the match in {c} between the {a} and the {b} was won by the {a}
the match in {c} between the {b} and the {a} was lost by the {b}
the victory in {c} went to the {a}, the defeat to the {b}
? who lost to the {a} in {c}
? who [beat|defeated] the {b} in {c}
? where did the {a} [beat|defeat] the {b}

role past a:person b:person n:margin a<>b*3 n~
{a} [beat|defeated] {b} by {n} points
{b} lost to {a} by {n} points
{b} was [beaten|defeated] by {a} by {n} points
{a} finished {n} points ahead of {b}
{b} finished {n} points behind {a}
? by how many points did {a} [beat|defeat] {b}

role past a:human b:human u:subject a<>b*3 u~
{a} taught {b} {u}
{a} taught {u} to {b}
{b} learned {u} from {a}
{b} was taught {u} by {a}
{b} was a pupil of {a} in {u}
{a} was the {u} teacher of {b}
it was {a} who taught {b} {u}
? who taught {b} {u}
? who learned {u} from {a}

role present a:person b:person c:city a<>b*3 c~
{a} employs {b} in {c}
{b} works for {a} in {c}
{b} is employed by {a} in {c}
{a} is the employer of {b} in {c}
{b} is an employee of {a} in {c}
? who works for {a} in {c}
? for whom does {b} work

role present a:person b:person a<>b*3 a~ *2
{a} is [the boss of|the supervisor of] {b}
{b} [works under|reports to] {a}
{b} is [supervised by|managed by] {a}
{a} [supervises|manages] {b}
the boss of {b} is {a}
the one who [supervises|manages] {b} is {a}
? who [supervises|manages] {b}
? who [reports to|works under] {a}

role present a:person b:person g:parent a<>b*3 b~ *3
{a} is {b.poss} {g}
{a} is the {g} of {b}
{b} is {a.poss} {g.child}
{b} is the {g.child} of {a}
{b} has {a} as {g}
{a} has a {g.child} named {b}
? who is the {g} of {b}
? who is the {g.child} of {a}

role past a:human b:human a<>b*3 a~ *2
{a} [followed|walked behind] {b}
{b} [led|walked ahead of] {a}
{b} was followed by {a}
{a} was led by {b}
it was {a} who [followed|walked behind] {b}
? who [followed|walked behind] {b}

role past a:person b:person j:office a<>b*3 j~ *2
{a} succeeded {b} as {j}
{b} preceded {a} as {j}
{b} was succeeded by {a} as {j}
{a} was preceded by {b} as {j}
{a} took over from {b} as {j}
{a} [replaced|was the successor of] {b} as {j}
{b} was the predecessor of {a} as {j}
{b} was {j} before {a}
{a} became {j} after {b}
? who succeeded {b} as {j}
? who was {j} before {a}

role present a:company b:company a<>b*3 b~ *3
{a} owns {b}
{b} belongs to {a}
{b} is owned by {a}
{a} is the owner of {b}
{a} is the parent company of {b}
{b} is a subsidiary of {a}
the owner of {b} is {a}
? which company owns {b}
? which company belongs to {a}

role past a:company b:company a<>b*3 b~ *2
{a} [acquired|bought|took over] {b}
{b} was [acquired|bought|taken over] by {a}
the acquisition of {b} by {a} was completed
{a} completed the acquisition of {b}
{b} became part of {a}
{b} sold itself to {a}
? which company was [acquired|bought] by {a}
? which company [acquired|bought|took over] {b}

role past a:country b:country a<>b*3 b~ *2
{a} [exported|sold] grain to {b}
{b} [imported|bought] grain from {a}
grain was [exported|shipped] from {a} to {b}
{a} supplied {b} with grain
{b} was supplied with grain by {a}
? which country [imported|bought] grain from {a}

role past a:human b:human t:gift a<>b*3 a~
{a} owed {b} the money for {t}
{b} was owed the money for {t} by {a}
{a} was in debt to {b} for {t}
{b} was the creditor of {a} for {t}
? who owed {b} the money for {t}

role past a:city b:city p:person a<>b*3 a~ *2
{p} [travelled|went] from {a} to {b}
{p} left {a} for {b}
{p} went to {b} from {a}
from {a}, {p} went to {b}
{p} arrived in {b} from {a}
it was from {a} to {b} that {p} went
? where did {p} go from {a}
? where did {p} come from

role present a:software b:software a<>b*3 b~
{a} depends on {b}
{b} is a dependency of {a}
{a} cannot run without {b}
{a} needs {b} in order to run
{b} is required by {a}
? what depends on {b}

role past a:person b:person w:work a<>b*3 w~
{a} wrote {w} about {b}
{b} was the subject of {w} by {a}
{w} about {b} was written by {a}
{a} was the author of {w} about {b}
it was {a} who wrote {w} about {b}
? who wrote {w} about {b}

role past a:human b:human p:person a<>b*3
{a} told {p} a secret about {b}
{p} was told a secret about {b} by {a}
{p} learned a secret about {b} from {a}
it was {a} who told {p} a secret about {b}
{a} revealed a secret about {b} to {p}
? who told {p} a secret about {b}

role past a:human b:human a<>b*3
{a} asked {b} to leave
{b} was asked by {a} to leave
{a} said to {b}, "Please leave"
{a} told {b} to go
it was {a} who asked {b} to leave
? who was asked by {a} to leave
"""
SYMMETRIC = """
symmetric past a:human b:human c:city x:human a~*2 b~*2 c~
{a} met {b} in {c}
{b} met {a} in {c}
{a} and {b} met in {c}
{b} and {a} met in {c}
{a} met with {b} in {c}
there was a meeting of {b} and {a} in {c}
? who met {b} in {c}
? where did {a} and {b} meet

symmetric present a:person b:person a~ b~ *2
{a} is married to {b}
{b} is married to {a}
{a} and {b} are married
{b} and {a} are [husband and wife|a married couple]
{b} is the spouse of {a}
{a} is the spouse of {b}
? who is married to {a}

symmetric present a:city b:city c:country a~ b~
{a} is the twin city of {b}
{b} is the twin city of {a}
{a} and {b} are twin cities
{b} is twinned with {a}
? which city is twinned with {a}

symmetric present a:country b:country a~ b~ *2
{a} [borders|shares a border with] {b}
{b} [borders|shares a border with] {a}
{a} and {b} are neighbouring countries
{b} and {a} share a border
there is a border between {a} and {b}
? which country borders {a}

symmetric present a:furniture b:furniture a~ b~ *2
{a} is [next to|beside] {b}
{b} is [next to|beside] {a}
{a} and {b} are side by side
{b} and {a} stand next to each other
next to {a} there is {b}
? what is next to {b}

symmetric past a:human b:human h:happening a~ b~ h~ *2
{a} and {b} [attended|went to] {h}
{b} and {a} [attended|went to] {h}
{a} [attended|went to] {h} together with {b}
both {b} and {a} [attended|went to] {h}
{b}, along with {a}, [attended|went to] {h}
{h} was attended by {a} and {b}
? who went to {h} with {a}

symmetric past a:company b:company a~ b~ *2
{a} merged with {b}
{b} merged with {a}
{a} and {b} merged
there was a merger of {b} and {a}
{a} and {b} joined to form one company
? with which company did {a} merge

symmetric present a:person b:person y:subject a~ b~ y~
{a} shares an interest in {y} with {b}
{b} shares an interest in {y} with {a}
{a} and {b} are both interested in {y}
both {b} and {a} are interested in {y}
{b} is interested in {y}, and so is {a}
? who shares an interest in {y} with {a}

symmetric past a:team b:team c:city a~ b~ c~
the {a} drew with the {b} in {c}
the {b} drew with the {a} in {c}
the {a} and the {b} played a draw in {c}
the match in {c} between the {b} and the {a} was a draw
neither the {a} nor the {b} won their match in {c}
? where did the {a} draw with the {b}

symmetric present a:thing b:thing a~ b~
{a} is [as heavy as|just as heavy as] {b}
{b} is [as heavy as|just as heavy as] {a}
{a} and {b} weigh the same
{b} and {a} are equally heavy
{a} has the same weight as {b}
? what weighs as much as {a}

symmetric present a:person b:person a~ b~
{a} lives next door to {b}
{b} lives next door to {a}
{a} and {b} are [neighbours|next-door neighbours]
{b} is a neighbour of {a}
{a} is a neighbour of {b}
? who lives next door to {a}

symmetric present a:colour_thing b:thing a~ b~
{a} differs from {b} in shape
{b} differs from {a} in shape
{a} and {b} differ in shape
{b} and {a} have different shapes
the shape of {a} is not that of {b}
? what differs in shape from {b}
"""
ENTITY = """
entity past a:person v:vp c:city a~ c~ v~ *2
{a} {v.past} in {c}
in {c}, {a} {v.past}
it was {a} who {v.past} in {c}
it was in {c} that {a} {v.past}
the one who {v.past} in {c} was {a}
{c} is where {a} {v.past}
? who {v.past} in {c}
? where did {a} {v}

entity none h:happening d:day c:city d~ c~ h~ *2
{h} in {c} [took place|was held] on {d}
{h} [took place|was held] in {c} on {d}
on {d}, {h} [took place|was held] in {c}
it was on {d} that {h} [took place|was held] in {c}
{d} was the day of {h} in {c}
? when did {h} in {c} take place
? where did {h} take place on {d}

entity past a:person j:job_a c:city a~ j~ c~
{a} worked as {j} in {c}
{a} was {j} in {c}
in {c}, {a} earned a living as {j}
{a} had a job as {j} in {c}
? what was the job of {a} in {c}
? where did {a} work as {j}

entity none a:person c:city a~ c~ *2
{a} was born in {c}
{c} is the birthplace of {a}
{a} [is a native of|comes originally from] {c}
the birthplace of {a} is {c}
it was in {c} that {a} was born
? where was {a} born
? who was born in {c}

entity present r:river c:country r~ c~
the {r} flows through {c}
one of the rivers of {c} is the {r}
{c} is crossed by the {r}
the course of the {r} runs through {c}
? which river flows through {c}

entity past a:company b:city t:product a~ b~ t~
{a} opened a factory for {t} in {b}
in {b}, {a} opened a factory that makes {t}
a factory for {t} was opened in {b} by {a}
it was {a} that opened a factory for {t} in {b}
? what does the factory that {a} opened in {b} make
? where did {a} open a factory for {t}

entity past a:person d:day t:gift d~ a~ t~
{a} lost {t.a} on {d}
on {d}, {a} lost {t.a}
it was on {d} that {a} lost {t.a}
{t.a} was lost by {a} on {d}
? what did {a} lose on {d}
? when did {a} lose {t.a}
"""


def transitive() -> str:
    """The transitive blocks for every kind of actor, ready to read.

    Example:
        >>> "a:animal b:animal v:verb_animal" in transitive()
        True
    """
    return "\n".join(TRANSITIVE.replace("KIND", kind).replace("VERB", verb) for kind, verb in KINDS)
