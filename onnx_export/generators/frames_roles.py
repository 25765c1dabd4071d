"""Frames of who did what to whom. The notation is that of frames."""

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


def transitive() -> str:
    """The transitive blocks for every kind of actor, ready to read.

    Example:
        >>> "a:animal b:animal v:verb_animal" in transitive()
        True
    """
    return "\n".join(TRANSITIVE.replace("KIND", kind).replace("VERB", verb) for kind, verb in KINDS)
