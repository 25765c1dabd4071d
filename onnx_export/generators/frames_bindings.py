"""Frames of which thing has which property: an exchange binds them wrongly. The notation is that of frames."""

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
