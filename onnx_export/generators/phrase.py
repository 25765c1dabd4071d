"""Words that know their forms: noun phrases, verbs, clauses, degrees and numbers, as the grammar's slots hold them."""

from __future__ import annotations

from functools import lru_cache

from lemminflect import getInflection

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
_FIXED = {
    ("bet", "VBD"): "bet", ("let", "VBD"): "let", ("let", "VBN"): "let", ("hang", "VBD"): "hung",
    ("lie", "VBD"): "lied", ("hang", "VBN"): "hung", ("leave", "VBD"): "left", ("leave", "VBN"): "left",
    ("find", "VBD"): "found", ("find", "VBN"): "found", ("quit", "VBD"): "quit", ("light", "VBD"): "lit",
    ("light", "VBN"): "lit", ("shut", "VBD"): "shut", ("spread", "VBD"): "spread", ("fit", "VBD"): "fitted",
    ("fit", "VBN"): "fitted", ("wear", "VBD"): "wore", ("wear", "VBN"): "worn", ("sew", "VBN"): "sewn",
    ("wake", "VBD"): "woke", ("prove", "VBN"): "proved", ("mow", "VBN"): "mown", ("cancel", "VBD"): "cancelled",
    ("cancel", "VBN"): "cancelled",
}  # fmt: skip


@lru_cache(maxsize=20_000)
def inflect(words: str, tag: str) -> str:
    """`words` with its first word inflected to a Penn `tag` (VBD, VBN, VBG, VBZ, NNS, JJR, JJS).

    Example:
        >>> inflect("give up", "VBD"), inflect("big", "JJR")
        ('gave up', 'bigger')
    """
    head, _, tail = words.partition(" ")
    found = getInflection(head, tag=tag)
    form = _FIXED.get((head, tag)) or (found[0] if found else head)
    return f"{form} {tail}" if tail else form


def number_words(number: int) -> str:
    """`number` (0 to 999,999) in English words.

    Example:
        >>> number_words(342)
        'three hundred and forty-two'
    """
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10] + (f"-{ONES[number % 10]}" if number % 10 else "")
    unit, name, link = (100, "hundred", " and ") if number < 1000 else (1000, "thousand", " ")
    rest = number % unit
    return f"{number_words(number // unit)} {name}" + (link + number_words(rest) if rest else "")


def article(noun: str) -> str:
    """`noun` behind "a" or "an".

    Example:
        >>> article("hour"), article("useful tool"), article("owl")
        ('an hour', 'a useful tool', 'an owl')
    """
    low = noun.lower()
    vowel = low[0] in "aeiou" and not low.startswith(("uni", "use", "usu", "eu", "one", "ute", "uk"))
    return f"{'an' if vowel or low.startswith(('hour', 'hono', 'heir')) else 'a'} {noun}"


class Phrase(str):
    """A noun phrase that agrees: its be, have, do, relative pronoun and genitive.

    Example:
        >>> "{0} {0.was} here, {0.who} {0.has} left".format(Phrase("the twins", plural=True))
        'the twins were here, who have left'
    """

    plural: bool
    human: bool

    def __new__(cls, text: str, plural: bool = False, human: bool = True) -> Phrase:
        """The phrase `text`."""
        self = super().__new__(cls, text)
        self.plural, self.human = plural, human
        return self

    was = property(lambda self: "were" if self.plural else "was")
    is_ = property(lambda self: "are" if self.plural else "is")
    has = property(lambda self: "have" if self.plural else "has")
    does = property(lambda self: "do" if self.plural else "does")
    s = property(lambda self: "" if self.plural else "s")
    one = property(lambda self: "the ones" if self.plural else "the one")
    who = property(lambda self: "who" if self.human else "that")
    asks = property(lambda self: "who" if self.human else "what")
    poss = property(lambda self: f"{self}'" if self.endswith("s") else f"{self}'s")
    bare = property(lambda self: self.split(" ", 1)[1] if self.startswith(("the ", "a ", "an ")) else str(self))
    a = property(lambda self: article(self.bare))


class Verb(str):
    """A verb (with particles or object) that knows its forms, its opposite and a synonym.

    Example:
        >>> "{0.past}, {0.pp}, {0.ing}, {0.now}".format(Verb("take off"))
        'took off, taken off, taking off, takes off'
    """

    twin: str
    rival: str

    def __new__(cls, text: str, twin: str = "", rival: str = "", rival_twin: str = "") -> Verb:
        """The verb `text`, its synonym `twin` and its opposites."""
        self = super().__new__(cls, text)
        self.twin, self.rival, self.rival_twin = twin or text, rival, rival_twin or rival
        return self

    rival_twin: str
    past = property(lambda self: inflect(str(self), "VBD"))
    pp = property(lambda self: inflect(str(self), "VBN"))
    ing = property(lambda self: inflect(str(self), "VBG"))
    now = property(lambda self: inflect(str(self), "VBZ"))
    syn = property(lambda self: Verb(self.twin))
    anti = property(lambda self: Verb(self.rival, self.rival_twin, str(self), self.twin))


class Clause(str):
    """A clause of a subject and a verb phrase that can be said, denied, expected.

    Example:
        >>> clause = Clause(Phrase("the shop", human=False), "close early")
        >>> clause.yes, clause.no, clause.now
        ('the shop closed early', 'the shop did not close early', 'the shop closes early')
    """

    def __new__(cls, who: Phrase, act: str) -> Clause:
        """The clause in which `who` does `act`."""
        self = super().__new__(cls, f"{who} {inflect(act, 'VBD')}")
        self.who, self.act = who, act
        return self

    who: Phrase
    act: str
    yes = property(lambda self: str(self))
    no = property(lambda self: f"{self.who} did not {self.act}")
    fail = property(lambda self: f"{self.who} failed to {self.act}")
    never = property(lambda self: f"{self.who} didn't {self.act}")
    now = property(lambda self: f"{self.who} {self.act if self.who.plural else inflect(self.act, 'VBZ')}")
    not_now = property(lambda self: f"{self.who} {self.who.does} not {self.act}")
    will = property(lambda self: f"{self.who} will {self.act}")
    wont = property(lambda self: f"{self.who} will not {self.act}")
    having = property(lambda self: f"{self.who} {inflect(self.act, 'VBG')}")


@lru_cache(maxsize=2_000)
def graded(adjective: str, tag: str, long_form: str) -> str:
    """Comparative (JJR, "more") or superlative (JJS, "most") of `adjective`.

    Example:
        >>> graded("heavy", "JJR", "more"), graded("expensive", "JJS", "most")
        ('heavier', 'most expensive')
    """
    syllables = sum(a in "aeiouy" and b not in "aeiouy" for a, b in zip(adjective, adjective[1:] + " ", strict=True))
    syllables -= adjective.endswith("e") and syllables > 1
    if syllables > 2 or (syllables == 2 and not adjective.endswith(("y", "le", "ow", "er"))):
        return f"{long_form} {adjective}"
    found = getInflection(adjective, tag=tag)
    return found[0] if found and found[0] != adjective else f"{long_form} {adjective}"


class Degree(str):
    """An adjective with its comparative, its superlative and its opposite.

    Example:
        >>> tall = Degree("tall", "short")
        >>> tall.more, tall.most, tall.anti.more
        ('taller', 'tallest', 'shorter')
    """

    rival: str

    def __new__(cls, text: str, rival: str) -> Degree:
        """The adjective `text` and its opposite."""
        self = super().__new__(cls, text)
        self.rival = rival
        return self

    more = property(lambda self: graded(str(self), "JJR", "more"))
    most = property(lambda self: graded(str(self), "JJS", "most"))
    anti = property(lambda self: Degree(self.rival, str(self)))
    a = property(lambda self: article(str(self)))


class Number(str):
    """A number written two ways: `d` digits, `w` words.

    Example:
        >>> Number("12").w
        'twelve'
    """

    d = property(lambda self: f"{int(self):,}" if int(self) > 9999 else str(self))
    w = property(lambda self: number_words(int(self)))
    next = property(lambda self: Number(int(self) + 1))
    last = property(lambda self: Number(int(self) - 1))
