"""Frames of why and on what condition. The notation is that of frames."""

from __future__ import annotations

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
