"""Frames of where things are. The notation is that of frames."""

from __future__ import annotations

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
