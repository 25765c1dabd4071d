"""Frames of two that stand in one relation (symmetric),"
" and of names tied to places and days (entity). The notation is that of frames."""

from __future__ import annotations

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
