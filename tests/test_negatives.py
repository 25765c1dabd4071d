"""Near-misses and rewritings of any sentences: what each rule makes, what it leaves alone, blocks, page."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from onnx_export.generators import negatives as package
from onnx_export.generators.negatives import CATEGORIES, MISSES, REWRITINGS, RULES, blocks, singles, steps
from onnx_export.generators.rule import Rule
from onnx_export.generators.sentences import read_sentences, split, usable
from plugin_server.corpus import Refused

HERE = Path(package.__file__).parent
PAGE = (HERE / "README.md").read_text(encoding="utf-8")
AUDIT = json.loads((HERE / "audit.json").read_text(encoding="utf-8"))
TEXT = """The dog chased the cat. A man is playing a guitar in the park. She was born in Norway in 1994.
The cup is above the plate.
All students passed the exam before the summer.
"""

# sentence, category, what one of its rules makes of it (None: nothing), remark
CASES = [
    ("The dog chased the cat.", "role", "The cat chased the dog.", "the capital stays in front"),
    ("The man met the woman.", "role", None, "to meet holds both ways"),
    ("The boy chased the ball.", "role", None, "a ball chases nobody"),
    ("The dog chased another dog.", "role", None, "both are dogs"),
    ("A man walks his dog.", "role", None, "an owner would change with it"),
    ("He told her the truth.", "role", "She told him the truth.", "pronouns change their case"),
    ("She called her brother.", "role", None, "here her belongs to the brother"),
    ("The team drew the red car and the blue bus.", "binding", "The team drew the blue car and the red bus.", "swap"),
    ("A red car and a red bus.", "binding", None, "equal attributes"),
    ("A red car and a large bus.", "binding", None, "attributes of two dimensions may both hold"),
    ("A red car and a blue car.", "binding", None, "the same two cars in another order"),
    ("A black and white dog and a red cat.", "binding", None, "two colours of one noun"),
    ("The cup is above the plate.", "spatial", "The cup is below the plate.", "its opposite"),
    ("He went left the house.", "spatial", None, "left as a verb"),
    ("That is the right answer.", "spatial", None, "right as correct"),
    ("He raised his right hand.", "spatial", "He raised his left hand.", "the hand"),
    ("It was over the budget.", "spatial", None, "no place"),
    ("She looked up and down the stairs.", "spatial", None, "both ways at once"),
    ("She left before the meeting.", "temporal", "She left after the meeting.", "flip"),
    ("She was named after the queen.", "temporal", None, "no time"),
    ("He spoke before the court.", "temporal", None, "a place"),
    ("He asked after all of them.", "temporal", None, "a way of speaking"),
    ("The dog is asleep.", "negation", "The dog is not asleep.", "after the auxiliary"),
    ("He never sleeps.", "negation", None, "a negation is there already"),
    ("The dog did not bark.", "negation", "The dog barked.", "taken away with its auxiliary"),
    ("He did not leave because he was tired.", "negation", None, "scope: he may have left"),
    ("Is the dog asleep?", "negation", None, "a question asks the same either way"),
    ("They saw at least 12 dogs.", "number", None, "a bound may hold with both numbers"),
    ("About 500 people came.", "number", None, "roughly the same number"),
    ("He met one or two friends.", "number", None, "no exact number"),
    ("All students passed.", "quantifier", "No students passed.", "contrary"),
    ("They walked all day.", "quantifier", None, "a way of speaking"),
    ("Not all students passed.", "quantifier", None, "under a negation"),
    ("He did not see some of the films.", "quantifier", None, "under a negation"),
    ("He bought a larger house.", "comparative", "He bought a smaller house.", "attributive"),
    ("More than 20 people came.", "comparative", None, "a bound, no comparison of things"),
    ("He no longer lives here.", "comparative", None, "a way of speaking"),
    ("He took a shorter route.", "comparative", "He took a longer route.", "short by its noun"),
    ("It is a harder idea.", "comparative", None, "easier or softer is not known"),
    ("An older man sings.", "comparative", "A younger man sings.", "the article follows"),
    ("The door is open.", "antonym", "The door is closed.", "opposite"),
    ("He ate a hot dog.", "antonym", None, "a dish"),
    ("The chimney stood in the middle.", "antonym", None, "a thing that stands also sits"),
    ("He visited New York City in May.", "entity", None, "no name of the lists, and no part of one"),
    ("Paris Hilton sang.", "entity", None, "part of a longer name"),
    ("The dog chased the cat.", "passive", "The cat was chased by the dog.", "active to passive"),
    ("The house has four rooms.", "passive", None, "to have has no passive"),
    ("The man washed his car.", "passive", None, "his would point elsewhere"),
    ("No dog chased the cat.", "passive", None, "no subject to move"),
    ("The man pushed a woman with a stick.", "passive", None, "the stick may be either's"),
    ("The bank failed by 1994.", "passive", None, "no agent"),
    ("The crowd left when the rain started.", "clause_order", "When the rain started, the crowd left.", "to the front"),
    ("When John came, he smiled.", "clause_order", None, "he would come before John"),
    ("He did not leave because it rained.", "clause_order", None, "scope of the negation"),
    ("The report says sales fell in 1994.", "clause_order", None, "which of the two was in 1994?"),
    ("Two dogs and a cat slept.", "conjunct_order", None, "number and article differ"),
    ("Ann sat between the dog and the cat.", "conjunct_order", None, "between needs both"),
    ("The bench is near the tree.", "symmetric", "The tree is near the bench.", "both ways"),
    ("The cats are near the dog.", "symmetric", "The dog is near the cats.", "the verb agrees"),
    ("The cat is on the mat.", "symmetric", None, "one way only"),
    ("The cup is above the plate.", "converse", "The plate is below the cup.", "inverse and exchanged"),
    ("The man is shorter than the boy.", "comparative_inversion", "The boy is taller than the man.", "a person"),
    ("The film is shorter than the book.", "comparative_inversion", "The book is longer than the film.", "no person"),
    ("The girl is brighter than the boy.", "comparative_inversion", None, "bright is not said of light"),
    ("The ring is more expensive than the watch.", "comparative_inversion",
     "The watch is less expensive than the ring.", "more, less"),
    ("They saw three dogs.", "number_words", "They saw 3 dogs.", "word to digits"),
    ("In 1994 they won.", "number_words", None, "a year stays a year"),
    ("It did not rain.", "contraction", "It didn't rain.", "contracted"),
    ("It does not only rain.", "contraction", None, "only belongs to not"),
    ("The barns are not almost identical.", "synonym", None, "not nearly is far from it"),
    ("The kids slept.", "synonym", "The children slept.", "the same form"),
    ("The girl gave a book to the boy.", "dative", "The girl gave the boy a book.", "receiver first"),
    ("A man wearing a hat sings.", "relative", "A man who is wearing a hat sings.", "in full"),
    ("What is the man wearing today?", "relative", None, "a question"),
    ("A man is in a boat.", "existential", "There is a man in a boat.", "there is"),
    ("The man is in a boat.", "existential", None, "a known man"),
    ("The dog chased a cat.", "cleft", "It was the dog that chased a cat.", "put in front"),
    ("When was the bridge built?", "question", "Where was the bridge built?", "another thing asked"),
    ("How do I find my PIN?", "question", "When do I find my PIN?", "where asks nearly what how does"),
    ("Where is Kerala located?", "question", None, "nobody asks when it is located"),
    ("Where did they come from?", "question", None, "when would leave the from behind"),
    ("Who is the king?", "question", None, "no word that asks the like"),
    ("Who helped Ann?", "role", "Who did Ann help?", "the one asked for is helped"),
    ("Who did Ann help?", "role", "Who helped Ann?", "the one asked for helps"),
    ("Who met Ann?", "role", None, "to meet holds both ways"),
    ("cheap flights from Paris to London", "role", "cheap flights from London to Paris", "a query"),
    ("Turn on the lights.", "antonym", "Turn off the lights.", "the switch"),
    ("How do I log in to my account?", "antonym", "How do I log out of my account?", "the preposition follows"),
    ("He turned on his friend.", "antonym", None, "a friend has no switch"),
    ("Where was the book bought?", "antonym", None, "what is bought is sold"),
    ("Did you just keep it?", "indirect_question", None, "an adverb, not the verb"),
    ("Turn left at the lights.", "spatial", "Turn right at the lights.", "the way somebody turns"),
    ("Turn right away.", "spatial", None, "at once"),
    ("Can I eat before surgery?", "temporal", "Can I eat after surgery?", "what happens without an article"),
    ("hotels near Paris without breakfast", "negation", "hotels near Paris with breakfast", "a query"),
    ("When did the bank close?", "indirect_question", "I would like to know when the bank closed.", "it inflects"),
    ("Can you help me?", "indirect_question", None, "a request"),
    ("Is the pool open?", "indirect_question", "Can you tell me whether the pool is open?", "yes or no"),
    ("What are the symptoms of diabetes?", "indirect_question",
     "I would like to know what the symptoms of diabetes are.", "the verb goes to the end"),
    ("How many people live in Berlin?", "indirect_question",
     "I would like to know how many people live in Berlin.", "what asks is the subject"),
    ("What was the name of the state controlled by the Germans?", "indirect_question", None, "what is controlled?"),
    ("The pool is open.", "indirect_question", None, "no question"),
    ("I lost it, what now?", "indirect_question", None, "more than a question"),
    ("How do I cancel my order?", "how_to", "What do I have to do to cancel my order?", "the same way"),
    ("How can I cancel my order?", "how_to", "How do I cancel my order?", "either way"),
    ("How do I look?", "how_to", None, "no way to do it"),
    ("Can I get a refund if I pay late?", "clause_order", "If I pay late, can I get a refund?", "a condition"),
    ("Can you tell me if I paid?", "clause_order", None, "whether"),
    ("Who built the bridge?", "passive", "Who was the bridge built by?", "asked in the passive"),
    ("When did Edison invent the light bulb?", "passive", "When was the light bulb invented by Edison?", "asked"),
    ("He moved from Oslo to Rome.", "phrase_order", "He moved to Rome from Oslo.", "both ways"),
    ("It is open from May to June.", "phrase_order", None, "a span, no journey"),
]  # fmt: skip


def made(sentence: str, category: str) -> set[str]:
    """What the rules of a category make of a sentence, over enough seeds to see every choice."""
    rules = [rule for rule in RULES if rule.category == category]
    return {text for rule in rules for seed in range(40) if (text := rule.made(sentence, seed))}


@pytest.mark.parametrize(("sentence", "category", "expected", "remark"), CASES, ids=lambda value: str(value)[:40])
def test_one_step(sentence: str, category: str, expected: str | None, remark: str) -> None:
    found = made(sentence, category)
    assert expected in found if expected else found == set(), remark


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_documented_example_is_what_the_rule_makes(rule: Rule) -> None:
    assert rule.after in {rule.made(rule.before, seed) for seed in range(60)}
    assert f"| {rule.category} | `{rule.name}` | {rule.before} | {rule.after} |" in PAGE


def test_the_page_and_the_record_know_every_category_and_nothing_else() -> None:
    rows = re.findall(r"^\| (\w+) \| `(\w+)` \|", PAGE, re.MULTILINE)
    assert Counter(rows) == Counter((rule.category, rule.name) for rule in RULES)
    assert set(AUDIT["categories"]) == set(CATEGORIES)
    for category, record in AUDIT["categories"].items():
        shown = f"| {category} | {record['samples']} | {record['wrong']} | {100 * record['upper_95']:.1f} % |"
        assert shown in PAGE, category


def test_upper_bounds_are_those_of_clopper_and_pearson() -> None:
    from scipy.stats import beta

    for record in AUDIT["categories"].values():
        wrong, drawn = record["wrong"], record["samples"]
        assert record["upper_95"] == pytest.approx(beta.ppf(0.975, wrong + 1, drawn - wrong), abs=5e-4)


def test_rule_names_are_unique_and_no_category_is_both() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert not set(MISSES) & set(REWRITINGS)


def test_the_same_sentence_makes_the_same_pairs_whatever_else_is_read() -> None:
    assert blocks("A man is playing a guitar.", 7, 3) == blocks("A man is playing a guitar.", 7, 3) != []
    assert steps("She was born in Norway.", 1, 0) == steps("She was born in Norway.", 1, 0)
    drawn = {steps("She was born in Norway.", seed, 0, ["entity"])[0][1] for seed in range(20)}
    assert len(drawn) > 5, "another seed draws another name"


def test_no_text_of_a_block_alone_tells_the_label() -> None:
    for sentence in split(TEXT):
        for block in blocks(sentence, 1, 5):
            assert [pair.label for pair in block] == [1, 1, 0, 0]
            assert len({pair.group for pair in block}) == 1
            for side in ("query", "document"):
                found = Counter((getattr(pair, side), pair.label) for pair in block)
                assert all(count == found[text, 1 - label] for (text, label), count in found.items())


def test_named_categories_limit_the_pairs_and_leave_the_counterpart_free() -> None:
    found = blocks("The dog chased the cat.", 1, 9, ["role"])
    assert {pair.category for block in found for pair in block if not pair.label} == {"role"}
    assert {pair.category for block in found for pair in block if pair.label} <= set(REWRITINGS)
    assert {pair.category for pair in singles("The dog chased the cat.", 1, ["role"])} == {"role"}


@pytest.mark.parametrize(
    ("data", "expected", "remark"),
    [
        (b"A dog barks\nA cat sleeps\n", ["A dog barks", "A cat sleeps"], "one a line, no mark needed"),
        (b"It rained. Dr. Ann left at 5 p.m.\n", ["It rained.", "Dr. Ann left at 5 p.m."], "running text"),
        (b"The old dog\nwas asleep in\nthe sun.\n\nIt rained.\n", ["The old dog was asleep in the sun.", "It rained."],
         "lines broken for width"),
        (b'{"text": "It rained. It snowed."}\n', ["It rained.", "It snowed."], "JSON Lines"),
        (b"\xef\xbb\xbfIt rained.\n", ["It rained."], "a byte order mark"),
        (b"It rained.\r\nIt snowed.\r\n", ["It rained.", "It snowed."], "line ends of Windows"),
        (b"\n \n", [], "nothing"),
    ],
)  # fmt: skip
def test_sentences_of_a_corpus(data: bytes, expected: list[str], remark: str) -> None:
    found = [item.text for item in read_sentences(io.BytesIO(data)) if not isinstance(item, Refused)]
    assert found == expected, remark


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (b"It rained.\n\xff\xfe\n", 2, "not UTF-8: byte 0xff at byte 1"),
        (b'{"text": 7}\n', 1, "text: is a number: give a text"),
        (b'{"text": "It rained."}\n{"title": "x"}\n', 2, "text: is missing"),
        (b'{"text": "It rained."}\nIt snowed.\n', 2, "not JSON: Expecting value at character 1"),
    ],
)
def test_a_line_that_cannot_be_read_is_refused_by_its_number(data: bytes, line: int, reason: str) -> None:
    assert Refused(line, reason) in list(read_sentences(io.BytesIO(data)))


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("Stop it.", "two words"),
        ("word " * 41, "too long"),
        ("See https://example.org for the rest of it.", "a link"),
        ("The first sentence ends.The next begins.", "glued together"),
        ("Der Hund jagt eine graue Katze.", "not English"),
    ],
)
def test_sentences_that_are_left_out(text: str, remark: str) -> None:
    assert not usable(text), remark
