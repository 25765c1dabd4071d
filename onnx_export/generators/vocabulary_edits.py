"""Words of the near-misses and rewritings: who can act on whom, which verbs, what denies, what opposes."""

from __future__ import annotations

from functools import lru_cache

from onnx_export.generators.phrase import inflect

NEGATIONS = frozenset(
    "not no never none nobody nothing nowhere neither nor without hardly barely scarcely rarely seldom cannot unless "
    "unable lacks lack lacked few little fail fails failed except dont didnt doesnt isnt cant wont".split()
)
SUBJECT_TO_OBJECT = {"i": "me", "he": "him", "she": "her", "we": "us", "they": "them", "it": "it", "you": "you"}
OBJECT_TO_SUBJECT = {"me": "i", "him": "he", "her": "she", "us": "we", "them": "they"}
PEOPLE = frozenset(
    "man woman boy girl child baby toddler kid person lady guy gentleman player teacher student doctor nurse patient "
    "coach police officer policeman policewoman soldier worker farmer fisherman firefighter waiter waitress chef cook "
    "actor actress singer dancer musician guitarist drummer artist painter writer author poet teenager adult youth "
    "infant mother father mom dad son daughter brother sister husband wife uncle aunt grandmother grandfather friend "
    "boxer wrestler runner swimmer skier skater cyclist biker rider driver passenger pilot captain sailor king queen "
    "prince princess lawyer judge senator president minister mayor governor general manager director producer editor "
    "journalist reporter photographer scientist engineer professor guard thief criminal suspect victim witness "
    "customer client clerk employee employer owner neighbor neighbour tourist visitor audience crowd referee umpire "
    "batter pitcher catcher goalie goalkeeper striker knight monk priest bishop pope emperor cowboy clown bride groom "
    "vendor salesman barber tailor carpenter plumber mechanic couple team opponent enemy hunter surfer skateboarder "
    "pedestrian model instructor trainer girlfriend boyfriend individual hiker climber jogger".split()
)
ANIMALS = frozenset(
    "dog cat horse cow bull sheep goat pig bird duck goose chicken elephant zebra giraffe lion tiger bear monkey "
    "rabbit mouse rat puppy kitten pony donkey camel deer wolf fox snake frog turtle fish shark whale dolphin eagle "
    "hawk owl parrot penguin seal bee spider insect animal".split()
)
#: What one does to another and the other need not do back.
ACTIONS = frozenset(
    "chase follow lead push pull hit kick punch slap bite lick scratch attack tackle beat defeat kill shoot "
    "stab murder rescue save help teach train coach instruct advise warn thank praise blame accuse criticise "
    "criticize sue arrest invite hire employ dismiss pay bribe betray deceive insult mock tease scare "
    "frighten surprise amuse annoy disturb watch observe notice ignore admire envy trust fear respect obey "
    "serve guard protect defend support replace succeed nominate appoint elect select interview photograph "
    "paint film portray carry lift catch drag feed wash groom examine treat cure persuade convince encourage "
    "inspire influence command dominate acquire overtake invade occupy annex conquer liberate bomb besiege "
    "threaten challenge question interrogate hunt ambush capture imprison release abandon adopt quote cite "
    "summon call phone contact visit welcome escort guide eat execute assassinate depose overthrow promote "
    "fire fund sponsor supply inform tell ask console comfort spank tickle pinch bully assist consult "
    "recruit bless crown outrun outscore host direct represent mentor tutor sign draft precede eliminate "
    "outlast upset coax drag nudge grab seize hit eject evict depict imitate copy resent pity".split()
)
#: What has a plain passive besides.
DEEDS = ACTIONS | frozenset(
    "build write design produce create publish direct release win read cut cook prepare drink throw hold use "
    "ride clean repair found establish discover invent develop introduce sign compose perform record sell "
    "buy own manage host organise organize launch destroy damage remove install cover block paint draw make "
    "play push wear sweep kiss hug inspect operate climb cross assemble plant water pour bake fry grill peel "
    "slice chop sew knit edit translate illustrate score coin propose approve reject sponsor finance "
    "construct rebuild restore renovate purchase send deliver pick collect gather review solve decorate "
    "mount drive fly sail row shear milk brush pet walk address describe conduct commission command hold "
    "lift narrate arrange co-write adapt complete capture".split()
) - {"succeed", "tell", "ask", "fly", "walk", "own"}
#: What two do with each other: either may be named first.
MUTUAL = frozenset("meet marry resemble".split())
GIVING = frozenset("give send show hand offer lend sell pass award teach".split())
LASTING = frozenset(
    "year month week day hour minute second decade century moment weekend night morning evening afternoon season time "
    "past course period summer winter spring fall autumn holiday".split()
)


@lru_cache(maxsize=16)
def forms(bases: frozenset[str], tag: str) -> dict[str, str]:
    """Every verb's form of a Penn tag, and its base.

    Example:
        >>> forms(frozenset(["bite", "chase"]), "VBD") == {"bit": "bite", "chased": "chase"}
        True
    """
    return {inflect(base, tag): base for base in sorted(bases)}
