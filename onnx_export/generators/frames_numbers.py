"""Frames of how many, how much, how long and when. The notation is that of frames."""

from __future__ import annotations

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
