"""What fills a slot of a frame, by kind of slot."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from random import Random

from onnx_export.generators.phrase import Clause, Degree, Number, Phrase, Verb, article
from onnx_export.generators.vocabulary import FIRST_NAMES, LAST_NAMES, words
from onnx_export.generators.vocabulary_verbs import DEGREES, OBJECTS, OPPOSITES, VERBS, clauses

#: A thing a slot holds.
Value = str


class Entry(str):
    """A word with named forms and an opposite that has them too.

    Example:
        >>> early = Entry("earlier", {"short": "early"}, "later", {"short": "late"})
        >>> early.short, early.rival, early.anti.short
        ('early', 'later', 'late')
    """

    def __new__(cls, text: str, forms: dict[str, str], rival: str, rival_forms: dict[str, str]) -> Entry:
        """The word `text`, its forms, its opposite."""
        self = super().__new__(cls, text)
        self.forms, self.rival, self.rival_forms = forms, rival, rival_forms
        return self

    forms: dict[str, str]
    rival: str
    rival_forms: dict[str, str]
    anti = property(lambda self: Entry(self.rival, self.rival_forms, str(self), self.forms))

    def __getattr__(self, name: str) -> str:
        """The form of that name."""
        forms: dict[str, str] = self.__dict__.get("forms", {})
        if name in forms:
            return forms[name]
        raise AttributeError(name)


class Amount(Number):
    """A number as a day of the month, an hour of the clock.

    Example:
        >>> Amount("22").ordinal, Amount("9").clock
        ('22nd', "nine o'clock")
    """

    ordinal = property(lambda self: f"{self}{_ending(int(self))}")
    clock = property(lambda self: f"{self.w} o'clock")


def _ending(number: int) -> str:
    return "th" if 10 < number % 100 < 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


#: Words with one opposite and named forms: kind -> rows of "text form=.. / text form=..".
ENTRIES: dict[str, str] = {
    "rel_left": "left/right",
    "rel_thing": "above/below,over/under,in front of/behind,on top of/underneath,above/beneath,ahead of/behind,"
    "higher than/lower than",
    "rel_person": "in front of/behind,ahead of/behind,to the left of/to the right of,above/below",
    "rel_compass": "north/south,east/west,northeast/southwest,northwest/southeast",
    "rel_move": "towards/away from,into/out of,up to/away from,around/through",
    "rel_when": "before/after",
    "rel_until": "until/after,before/since",
    "rel_early": "earlier short=early/later short=late,sooner short=soon/later short=late",
    "rel_grow": "faster short=fast noun=steeper/slower short=slowly noun=flatter,"
    "more short=much noun=bigger/less short=little noun=smaller",
    "opp_plain": "rise past=rose noun=rise/fall past=fell noun=fall,"
    "increase past=increased noun=increase/decrease past=decreased noun=decrease,"
    "grow past=grew noun=growth/shrink past=shrank noun=reduction",
    "bound": "most more=more~than value=above/most more=fewer~than value=below,"
    "most more=over value=over/most more=under value=under",
    "adj_neg": "alive/dead,married/unmarried,guilty/innocent,present/absent,awake/asleep,right/wrong,honest/dishonest,"
    "sober/drunk,visible/invisible,employed/unemployed,armed/unarmed,insured/uninsured,able to walk/unable to walk,"
    "aware of it/unaware of it",
    "opp_adj": "rich twin=wealthy/poor twin=penniless,happy twin=cheerful/sad twin=unhappy,"
    "clever twin=smart/stupid twin=foolish,brave twin=courageous/cowardly twin=timid,"
    "thin twin=slim/fat twin=overweight,calm twin=relaxed/nervous twin=tense,"
    "famous twin=well-known/unknown twin=obscure,polite twin=courteous/rude twin=impolite,"
    "healthy twin=well/ill twin=sick,generous twin=giving/stingy twin=miserly,quiet twin=silent/loud twin=noisy,"
    "busy twin=occupied/idle twin=inactive,kind twin=friendly/cruel twin=brutal,"
    "careful twin=cautious/reckless twin=careless,modest twin=humble/arrogant twin=conceited,"
    "strong twin=powerful/weak twin=feeble,lucky twin=fortunate/unlucky twin=unfortunate,"
    "guilty twin=at~fault/innocent twin=blameless,talkative twin=chatty/taciturn twin=silent,"
    "optimistic twin=hopeful/pessimistic twin=gloomy,lazy twin=idle/diligent twin=hard-working",
    "opp_quality": "expensive twin=costly/cheap twin=inexpensive,big twin=large/small twin=little,"
    "heavy twin=weighty/light twin=lightweight,wet twin=damp/dry twin=free~of~moisture,"
    "clean twin=spotless/dirty twin=filthy,broken twin=damaged/intact twin=undamaged,"
    "beautiful twin=pretty/ugly twin=unsightly,genuine twin=authentic/fake twin=counterfeit,"
    "useful twin=helpful/useless twin=worthless,full twin=filled/empty twin=vacant,hard twin=rigid/soft twin=squashy,"
    "bright twin=shiny/dull twin=matt,old twin=aged/new twin=brand-new,safe twin=harmless/dangerous twin=hazardous,"
    "common twin=widespread/rare twin=uncommon,temporary twin=provisional/permanent twin=lasting,"
    "simple twin=uncomplicated/complex twin=complicated,legal twin=lawful/illegal twin=unlawful,"
    "hot twin=scorching/cold twin=chilly,thick twin=bulky/thin twin=slender,smooth twin=even/rough twin=uneven,"
    "visible twin=in~sight/hidden twin=out~of~sight",
    "parent": "father child=child,mother child=child,grandfather child=grandchild,grandmother child=grandchild,"
    "godfather child=godchild,stepmother child=stepchild",
}
OPP_PAIRS = (
    "pass the exam/fail the exam,accept the offer/refuse the offer,remember the date/forget the date,"
    "stay at home/leave home,survive the crash/die in the crash,obey the order/disobey the order,tell the truth/lie,"
    "include the appendix/leave out the appendix,succeed in the attempt/fail in the attempt,"
    "attend the meeting/miss the meeting,keep the secret/give away the secret,catch the train/miss the train,"
    "hit the target/miss the target,keep the ring/give away the ring,notice the error/overlook the error,"
    "accept the invitation/decline the invitation,allow the visit/forbid the visit,keep the promise/break the promise"
)
SIMPLE = {
    "subject": "chemistry,physics,history,Latin,Greek,music,law,algebra,geometry,biology,chess,economics,statistics,"
    "painting,grammar,geography,accounting,philosophy,Russian,Spanish,anatomy,pottery,programming",
    "office": "mayor,chairman,director,prime minister,head coach,bishop,treasurer,editor,captain,president,governor,"
    "king,dean,chief executive,ambassador,conductor,party leader,goalkeeper,finance minister,team manager",
    "game": "chess,tennis,golf,football,cards,the piano,the violin,poker,badminton,squash,hockey,the drums,bridge,"
    "cricket,darts",
    "product": "tyres,batteries,shoes,paper,glass,engines,chocolate,toys,medicines,cement,furniture,bicycles,chips,"
    "carpets,pumps",
    "timeunit": "days,weeks,months,hours,minutes,years",
    "work": "a book,an article,a poem,a song,a play,a report,a biography,an essay,a novel,a column",
}  # fmt: skip


def person(rng: Random) -> Phrase:
    """A person by name.

    Example:
        >>> str(person(Random(0))).istitle()
        True
    """
    name = rng.choice(FIRST_NAMES)
    roll = rng.random()
    if roll < 0.35:
        name = f"{name} {rng.choice(LAST_NAMES)}"
    elif roll < 0.45:
        name = rng.choice(("Dr ", "Ms ", "Mr ", "Professor ")) + rng.choice(LAST_NAMES)
    return Phrase(name)


def human(rng: Random) -> Phrase:
    """A person by name or by what they are."""
    return person(rng) if rng.random() < 0.45 else Phrase("the " + rng.choice(words("person_noun")))


@lru_cache(maxsize=64)
def _nouns(kind: str) -> tuple[str, ...]:
    mixed = {"thing": ("furniture", "small", "container", "vehicle", "animal"), "colour_thing": ("furniture", "small")}
    return tuple(dict.fromkeys(word for part in mixed.get(kind, (kind,)) for word in words(part)))


@lru_cache(maxsize=64)
def _entries(kind: str) -> tuple[Entry, ...]:
    rows = []
    for row in ENTRIES[kind].split(","):
        sides = [[cell.replace("~", " ") for cell in _cells(side)] for side in row.split("/")]
        sides = sides if len(sides) == 2 else sides * 2
        forms = [dict(cell.split("=", 1) for cell in side[1:]) for side in sides]
        rows.append(Entry(sides[0][0], forms[0], sides[1][0], forms[1]))
    return tuple(rows)


def _cells(side: str) -> list[str]:
    text = [part for part in side.split(" ") if "=" not in part]
    return [" ".join(text), *(part for part in side.split(" ") if "=" in part)]


@lru_cache(maxsize=64)
def _verbs(kind: str) -> tuple[Verb, ...]:
    if kind == "opp_pair":
        return tuple(Verb(a, "", b) for a, b in (row.split("/") for row in OPP_PAIRS.split(",")))
    if kind in VERBS:
        return tuple(Verb(verb) for verb in dict.fromkeys(VERBS[kind].split(",")))
    found = []
    for row in OPPOSITES["opp_do" if kind == "opp_object" else kind].split(","):
        (verb, twin), (rival, rival_twin) = ((side.split("=") * 2)[:2] for side in row.split("/"))
        objects = OBJECTS.get(verb, "the plan,the proposal,the changes,the idea,the project").split(",")
        for thing in [f" {thing}" for thing in objects] if kind == "opp_object" else [""]:
            found.append(Verb(verb + thing, twin + thing, rival + thing, rival_twin + thing))
    return tuple(found)


@lru_cache(maxsize=64)
def _degrees(kind: str) -> tuple[Degree, ...]:
    return tuple(Degree(*row.split("/")) for row in DEGREES[kind].split(","))


def _definite(kind: str, human_like: bool = False) -> Callable[[Random], Phrase]:
    return lambda rng: Phrase("the " + rng.choice(_nouns(kind)), human=human_like)


def _name(kind: str) -> Callable[[Random], Phrase]:
    return lambda rng: Phrase(rng.choice(words(kind)), human=False)


def _number(low: int, high: int) -> Callable[[Random], Amount]:
    return lambda rng: Amount(str(rng.randint(low, high)))


def _clause(rng: Random) -> Clause:
    who, act = rng.choice(clauses())
    if rng.random() < 0.35:
        who, act = person(rng), str(rng.choice(_verbs("verb_vp")))
    return Clause(Phrase(who, plural=who.endswith("s") and who[0].islower() and not who.endswith(("bus", "ss"))), act)


def _buyer(rng: Random) -> Phrase:
    return human(rng) if rng.random() < 0.7 else _name("company")(rng)


def _quality(rng: Random) -> Phrase:
    return Phrase(rng.choice(words(rng.choice(("colour", "colour", "material", "state", "size")))))


MAKERS: dict[str, Callable[[Random], Value]] = {
    "person": person,
    "human": human,
    "buyer": _buyer,
    "clause": _clause,
    "quality": _quality,
    "people": lambda rng: Phrase("the " + rng.choice(words("people_noun")), plural=True),
    "crowd": lambda rng: rng.choice(words("people_noun")),
    "priced": _definite("thing_priced"),
    "job_a": lambda rng: article(rng.choice(words("job"))),
    "trouble": _definite("trouble"),
    "river": lambda rng: Phrase(rng.choice(words("river")), human=False),
    "countable": lambda rng: rng.choice(words("unit")),
    "year": _number(1820, 2024),
    "count": _number(2, 60),
    "price": _number(3, 950),
    "percent": _number(2, 95),
    "margin": _number(2, 40),
    "goals": _number(1, 9),
    "age": _number(4, 99),
    "date": _number(1, 28),
    "hour": _number(1, 12),
    "distance": _number(12, 990),
}
#: Kinds that stand behind "the".
DEFINITE = frozenset(
    "gift vehicle animal furniture small container building software happening thing colour_thing".split()
)
NUMBERS = frozenset("count price percent margin goals age distance".split())


def fill(kind: str, rng: Random) -> Value:
    """A value for a slot of that kind.

    Example:
        >>> fill("day", Random(1)) in words("day")
        True
    """
    if kind in MAKERS:
        return MAKERS[kind](rng)
    if kind in ENTRIES:
        return rng.choice(_entries(kind))
    if kind in SIMPLE:
        return Phrase(rng.choice(SIMPLE[kind].split(",")), human=False)
    if kind in DEGREES:
        return rng.choice(_degrees(kind))
    if kind.startswith(("verb_", "opp_")) or kind == "vp":
        return rng.choice(_verbs("verb_vp" if kind == "vp" else kind))
    if kind in ("company", "city", "country"):
        return _name(kind)(rng)
    if kind in DEFINITE:
        return _definite(kind)(rng)
    return Phrase(rng.choice(words(kind)), human=False)
