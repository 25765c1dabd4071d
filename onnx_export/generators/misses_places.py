"""Near-misses of place and of time."""

from __future__ import annotations

from random import Random

from onnx_export.generators.edits_rewrites import like, put
from onnx_export.generators.rule import Rule
from onnx_export.generators.spans import BE_FORMS, low, phrase, plurals
from onnx_export.generators.tagging import Tokens
from onnx_export.generators.vocabulary_edits import LASTING

#: Relations that are of place wherever a noun phrase follows.
FIRM = (
    ("in front of", "behind"), ("on top of", "underneath"), ("to the left of", "to the right of"),
    ("at the left side of", "at the right side of"), ("on the left of", "on the right of"),
    ("to the right of", "to the left of"), ("at the right side of", "at the left side of"),
    ("on the right of", "on the left of"), ("left of", "right of"), ("right of", "left of"),
    ("on the left side of", "on the right side of"), ("on the right side of", "on the left side of"),
    ("at the top of", "at the bottom of"), ("at the bottom of", "at the top of"),
    ("at the front of", "at the back of"), ("at the back of", "at the front of"),
    ("inside of", "outside of"), ("outside of", "inside of"), ("north of", "south of"), ("south of", "north of"),
    ("east of", "west of"), ("west of", "east of"), ("underneath", "on top of"), ("beneath", "above"),
    ("facing away from", "facing"), ("far away from", "close to"), ("far from", "close to"),
)  # fmt: skip
#: Relations that are of place behind a word of place or motion.
LOOSE = (
    ("above", "below"), ("below", "above"), ("over", "under"), ("under", "over"), ("behind", "in front of"),
    ("inside", "outside"), ("outside", "inside"), ("into", "out of"), ("out of", "into"), ("toward", "away from"),
    ("towards", "away from"), ("away from", "towards"), ("next to", "far from"), ("close to", "far from"),
    ("near", "far from"), ("beside", "far from"), ("facing", "facing away from"),
)  # fmt: skip
LONE = {
    "upstairs": "downstairs", "downstairs": "upstairs", "indoors": "outdoors", "outdoors": "indoors",
    "uphill": "downhill", "downhill": "uphill", "upstream": "downstream", "downstream": "upstream",
    "outside": "inside", "inside": "outside",
    "northern": "southern", "southern": "northern", "eastern": "western", "western": "eastern",
    "northeast": "southwest", "northwest": "southeast", "southeast": "northwest", "southwest": "northeast",
}  # fmt: skip
POSED = frozenset(
    "sitting standing lying laying hanging hung placed located situated parked hovering floating sits stands lies sit "
    "stand lie hangs sleeping resting seated perched mounted playing waiting posing kneeling crouching hiding swimming "
    "buried visible".split()
)
MOVING = frozenset(
    "walking walks walk walked running runs run ran jumping jumps jump jumped climbing climbs climbed diving "
    "dives dived driving drives drove stepping steps stepped crawling crawls crawled flying flies flew "
    "riding rides rode moving moves moved going goes went swimming swims swam leaping leaps leaped sliding "
    "slides slid heading heads".split()
)
STEEP = frozenset("stairs steps staircase hill mountain ladder slope escalator cliff ramp tree rope slide".split())
BODY = frozenset("hand arm leg foot shoulder ear eye side knee ankle wrist corner bank edge".split())
FIGURES = frozenset(
    ("over the years|over the phone|over the internet|under the age|under the name|under the law").split("|")
)
ABSTRACT = LASTING | frozenset(
    "age name law average control pressure influence scenes times wheel law contract radar circumstances "
    "conditions rule terms guidance direction leadership command supervision auspices title banner schedule "
    "limit radio internet world phone course fact idea thing one work use power play action account question "
    "consideration force effect practice budget fire business trouble debt order date stock reach hand sight "
    "place tune touch town country market line fashion league water".split()
)


def spatial(tokens: Tokens, rng: Random) -> Tokens | None:
    """A relation of place by its opposite."""
    words = low(tokens)
    found: list[tuple[int, int, str]] = []
    for i in range(1, len(words)):
        firm = next((row for row in FIRM if starts(words, i, row[0])), None)
        if firm and concrete(tokens, i + len(firm[0].split())):
            found.append((i, i + len(firm[0].split()), firm[1]))
            continue
        loose = None if firm else next((row for row in LOOSE if starts(words, i, row[0])), None)
        if loose and stands(tokens, i, loose[0]) and concrete(tokens, i + len(loose[0].split())):
            found.append((i, i + len(loose[0].split()), loose[1]))
    opposed = {
        "left",
        "right",
        "up",
        "down",
        "above",
        "below",
        "front",
        "behind",
        "north",
        "south",
        "inside",
        "outside",
    }
    covered = [i for i, word in enumerate(words) if word in opposed]
    found = [spot for spot in found if not any(i < spot[0] or i >= spot[1] for i in covered)]
    if not found:
        return None
    start, end, new = rng.choice(found)
    return put(tokens, start, end, new.split())


def starts(words: list[str], at: int, row: str) -> bool:
    """Whether the words of `row` stand at the place."""
    return words[at : at + len(row.split())] == row.split()


def concrete(tokens: Tokens, at: int) -> bool:
    """Whether a noun phrase of something that has a place follows."""
    end = phrase(tokens, at)
    if (
        end == at
        or tokens[at].tag == "CRD"
        or tokens[at].word.lower() in ("it", "that", "this", "them", "me", "us", "you")
    ):
        return False
    words = low(tokens)
    return words[end - 1] not in ABSTRACT and not (
        end < len(words) and words[end] in ("of", "'s") and words[end - 1] in ABSTRACT
    )


def stands(tokens: Tokens, at: int, word: str) -> bool:
    """Whether the word before makes the preposition one of place."""
    before = tokens[at - 1].word.lower()
    if word in ("into", "out of", "toward", "towards", "away from"):
        return before in MOVING
    if before in BE_FORMS or before in POSED:
        return True
    return word in ("over", "under", "behind", "inside", "outside") and before in MOVING


def side(tokens: Tokens, rng: Random) -> Tokens | None:
    """Left by right, up by down and other single words of place."""
    words = low(tokens)
    found: list[tuple[int, str]] = []
    for i in range(1, len(words)):
        word, before, after = words[i], words[i - 1], words[i + 1] if i + 1 < len(words) else "."
        if word in ("left", "right") and tokens[i].word.islower():
            hand = after in BODY and before in ("the", "his", "her", "their", "its", "my", "far")
            alone = (
                before == "the" and words[max(0, i - 2)] in ("on", "to") and (after in (".", ",", "is", "has", "and"))
            )
            if hand or alone or turning(words, i):
                found.append((i, "right" if word == "left" else "left"))
        if word in ("up", "down") and any(w in STEEP for w in words[i + 1 : i + 4]) and before in MOVING:
            found.append((i, "down" if word == "up" else "up"))
        adverb = word not in ("inside", "outside") or (
            tokens[i].tag == "AV0" and after in (".", ",", "in", "on", "while", "and")
        )
        if word in LONE and adverb and tokens[i].word.islower() and LONE[word] not in words:
            found.append((i, LONE[word]))
    if len({word for word in words if word in ("left", "right", "up", "down")}) > 1 or not found:
        return None
    at, new = rng.choice(found)
    return put(tokens, at, at + 1, [new])


#: Verbs of going one way, and words that "right" makes stronger or "left" has for its object.
TURNING = frozenset(
    "turn turns turned turning keep keeps kept bear bears bearing veer veered swerve swerved swerving stay go goes "
    "going lean leaned swipe swiped scroll steer steered".split()
)
STRONGER = frozenset(
    "away now after before in into over up down back here there through to behind off out along on next at about a an "
    "the his her their my your its it them him me us".split()
)


def turning(words: list[str], at: int) -> bool:
    """Whether the word tells which way somebody turns."""
    after = words[at + 1] if at + 1 < len(words) else "."
    tight = STRONGER if words[at] == "right" else STRONGER - {"at", "after", "before", "into", "on", "down", "in"}
    return words[at - 1] in TURNING and after not in tight


#: What stands before somebody without being later.
WITNESSES = frozenset(
    "court judge committee crowd audience altar mirror camera parliament congress jury king queen tribunal god house "
    "council panel fans spectators them him her me us you it".split()
)
TAKEN = frozenset(
    "named look looks looking looked run runs running ran chase chases chasing chased go goes going went year day week "
    "month morning evening night one time take takes taking took soon shortly long sought modeled modelled called ever "
    "reaching reaches shouting ask asked ball come comes coming seek seeks patterned known care".split()
)

#: What happens, and needs no article.
EVENTS = frozenset(
    "surgery breakfast lunch dinner supper bedtime sunrise sunset dawn dusk departure arrival delivery checkout "
    "work school exercise birth death christmas easter marriage pregnancy meals midnight noon retirement graduation "
    "takeoff landing payment shipping boarding treatment".split()
)


def sequence(tokens: Tokens, rng: Random) -> Tokens | None:
    """ "Before" by "after", "after" by "before"."""
    words = low(tokens)
    spots = [i for i, word in enumerate(words[:-2]) if word in ("before", "after") and tokens[i].tag in ("PRP", "CJS")]
    if len(spots) != 1 or {"previously", "already", "yet"} & set(words):
        return None
    at = spots[0]
    end = phrase(tokens, at + 1)
    head = words[end - 1] if end > at + 1 else ""
    before, after = words[at - 1] if at else "", words[at + 1]
    if words[at] == "after" and plurals(LASTING) & set(words[at + 1 : at + 6]):
        return None
    goes_on = end > at + 1 or tokens[at + 1].tag == "VVG" or after.isdigit() or after in EVENTS
    if (
        before in TAKEN
        or head in ("while", "fact", "use")
        or after in ("all", "that", "which", "this", "me", "him", "her", "them", "it", "us", "you")
        or head == before
    ):
        return None
    if not goes_on or (words[at] == "before" and head in WITNESSES) or (tokens[at - 1].tag in ("VVG",) and at):
        return None
    return put(tokens, at, at + 1, [like("after" if words[at] == "before" else "before", tokens[at].word)])


DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
MONTHS = "january february march april june july august september october november december".split()
SEASONS = "spring summer autumn winter".split()
DAYTIMES = "morning afternoon evening".split()
UNITS = frozenset("years months days weeks hours minutes year day".split())
TIMED = frozenset("year month season century war game film day week decade match race show movie event story".split())


def calendar(tokens: Tokens, rng: Random) -> Tokens | None:
    """Another day, month, season or time of day; early by late; a beginning by an end."""
    words = low(tokens)
    found = [(i, new) for i in range(1, len(words)) for new in (*other_dates(words, i), *other_sides(words, i))]
    found = [(i, new) for i, new in found if new.lower() not in words]
    if not found:
        return None
    at, new = rng.choice(found)
    return put(tokens, at, at + 1, [like(new, tokens[at].word)])


def other_dates(words: list[str], at: int) -> list[str]:
    """Other days, months, seasons or times of day than the one at a place."""
    word, before, after = words[at], words[at - 1], words[at + 1] if at + 1 < len(words) else "."
    if word in DAYS and before in ("on", "next", "last", "every", "until", "since", "by"):
        return [other.title() for other in DAYS if other != word]
    dated = after.isdigit() or before.isdigit()
    if word in MONTHS and (dated or before in ("in", "on", "of", "until", "since")):
        return [other.title() for other in MONTHS if other not in (word, "february")]
    row = next((row for row in (SEASONS, DAYTIMES) if word in row), [])
    told = before == "the" and words[max(0, at - 2)] in ("in", "during") and after != "of"
    return [other for other in row if other != word] if told else []


def other_sides(words: list[str], at: int) -> list[str]:
    """ "Earlier" for "later", "late" for "early", "end" for "beginning", and the other way round."""
    word, before, after = words[at], words[at - 1], words[at + 1] if at + 1 < len(words) else "."
    if word in ("later", "earlier") and before in UNITS:
        return ["earlier" if word == "later" else "later"]
    timed = after in MONTHS or after.rstrip("s").isdigit() or after in SEASONS
    if word in ("early", "late") and before in ("the", "in") and timed:
        return ["late" if word == "early" else "early"]
    framed = before == "the" and after == "of" and words[at - 2] in ("at", "by") and TIMED & set(words[at + 2 : at + 5])
    return ["beginning" if word == "end" else "end"] if word in ("beginning", "start", "end") and framed else []


PLACES_AND_TIMES = (
    Rule("place", "spatial", 0, spatial, "The cup is above the plate.", "The cup is below the plate."),
    Rule("side", "spatial", 0, side, "He raised his left hand.", "He raised his right hand."),
    Rule("sequence", "temporal", 0, sequence, "She left before the meeting.", "She left after the meeting."),
    Rule("calendar", "temporal", 0, calendar, "He left two years later.", "He left two years earlier."),
)
