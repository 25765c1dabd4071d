"""The loaders on a few rows in each real format, and on the whole data where SIMGATE_DATA names it."""

from __future__ import annotations

import json
import os
from itertools import chain
from pathlib import Path

import pytest

from onnx_export import sources
from onnx_export.errors import DataMalformed, DataMissing
from onnx_export.pair import Label, Pair
from onnx_export.sources.text import detokenise, read_text

Labels = tuple[Label, Label]


def put(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    """The folder, with one more file in it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return folder


def labels(rows: list[Pair]) -> list[Labels]:
    return [(row.pairs, row.passages) for row in rows]


@pytest.mark.parametrize(
    ("spaced", "closed", "remark"),
    [
        ("He left , alone .", "He left, alone.", "marks before the space"),
        ("a `` B '' c", 'a "B" c', "quotes"),
        ("a '' B `` c", 'a "B" c', "quotes the wrong way round, as PAWS has them"),
        ("the dogs ' owner did n't", "the dogs' owner didn't", "possessive and contraction"),
        ("won 4 : 2 in 1973 -- 74", "won 4:2 in 1973-74", "scores and ranges"),
        ("a gun of .38 calibre", "a gun of .38 calibre", "a decimal point stays"),
        ("Toys - a bull and a bear.", "Toys - a bull and a bear.", "a dash stays"),
        ('It\'s "fine" (4:2).', 'It\'s "fine" (4:2).', "ordinary text stays"),
    ],
)
def test_detokenise(spaced: str, closed: str, remark: str) -> None:
    assert detokenise(spaced) == closed, remark
    assert detokenise(closed) == closed, remark


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"paws_wiki/dev\.tsv is missing: .* must hold one folder a data set"):
        sources.train_pairs(tmp_path)


def test_paws_wiki(tmp_path: Path) -> None:
    put(
        tmp_path,
        "paws_wiki/dev.tsv",
        "id\tsentence1\tsentence2\tlabel\n1\tA saw B .\tB saw A .\t0\n2\tA , b .\tA b .\t1\n",
    )
    rows = sources.paws_wiki(tmp_path, "dev")
    assert (rows[0].query, rows[0].document, rows[0].category) == ("A saw B.", "B saw A.", "role")
    assert labels(rows) == [(0, 0), (1, 1)]


def test_hans(tmp_path: Path) -> None:
    lines = [
        {
            "sentence1": "The a saw the b .",
            "sentence2": "The b saw the a .",
            "labels": 0,
            "heuristic": "lexical_overlap",
        },
        {"sentence1": "The a by the b ran .", "sentence2": "The a ran .", "labels": 1, "heuristic": "subsequence"},
    ]
    put(tmp_path, "hans/hans_train.jsonl", "\n".join(map(json.dumps, lines)) + "\n")
    rows = sources.hans(tmp_path, "train")
    assert (rows[0].query, rows[0].document) == ("The b saw the a.", "The a saw the b.")
    assert labels(rows) == [(0, 0), (None, 1)]
    assert [row.category for row in rows] == ["role", "subsequence"]


def test_scone_takes_the_edited_sentences(tmp_path: Path) -> None:
    plain = "sentence1,sentence2,gold_label\r\nno dog,no pug,entailment\r\n"
    edited = (
        "sentence1,sentence2,gold_label,sentence1_edited,sentence2_edited,gold_label_edited\r\n"
        '"no hat","no cap",entailment,"It is not the case that a hat, no",It is not the case tcap a cap,neutral\r\n'
    )
    for name in ("no_negation", "one_not_scoped", "one_scoped_one_not_scoped", "two_scoped", "two_not_scoped"):
        put(tmp_path, f"scone/scone_nli_train_{name}.csv", edited)
    rows = sources.scone(put(tmp_path, "scone/scone_nli_train_one_scoped.csv", plain), "train")
    assert sorted(set(labels(rows)), key=str) == [(0, 0), (None, 1)]
    assert {row.query for row in rows} == {"no pug", "It is not the case that a cap"}
    assert {row.document for row in rows} == {"no dog", "It is not the case that a hat, no"}


def test_snli(tmp_path: Path) -> None:
    put(tmp_path, "snli/s1.dev", "A man . \nA man . \nA cat . \n")
    put(tmp_path, "snli/s2.dev", "A person .\nA cow .\nA dog .\n")
    put(tmp_path, "snli/labels.dev", "entailment\n-\nneutral\n")
    rows = sources.snli(tmp_path, "dev")
    assert [(row.document, row.query) for row in rows] == [("A man.", "A person."), ("A cat.", "A dog.")]
    assert labels(rows) == [(None, 1), (0, 0)]
    with pytest.raises(DataMalformed, match="3, 3 and 1 lines"):
        sources.snli(put(tmp_path, "snli/labels.dev", "entailment\n"), "dev")


def test_nli_cad_groups_an_original_with_its_revisions(tmp_path: Path) -> None:
    header = "sentence1\tsentence2\tgold_label\n"
    for part in ("train", "dev", "test"):
        put(tmp_path, f"nli_cad/NLI_original_{part}.tsv", header + "p0\th0\tneutral\np1\th1\tentailment\n")
        revised = header + "p0\th0 x\tneutral\np0 x\th0\tneutral\np1 x\th1\tneutral\np1\th1 x\tneutral\n"
        put(tmp_path, f"nli_cad/NLI_revised_combined_{part}.tsv", revised)
    rows = sources.nli_cad(tmp_path)
    assert len(rows) == 18
    assert len({row.group for row in rows}) == 6
    assert all(row.document[:2][1] == row.group[-1] for row in rows)


def test_cannot_keeps_linked_sentences_together(tmp_path: Path) -> None:
    body = "".join(
        f"Fact {i} holds.\tFact {i} fails.\t1\nFact {i} fails.\tFact {i} does not hold.\t0\n" for i in range(99)
    )
    put(tmp_path, "cannot/sem_anto_neg.tsv", "premise\thypothesis\tlabel\n" + body)
    for name in [*(f"wikifactcheck_english_{k}" for k in range(5)), "glue_diagnostic"]:
        put(tmp_path, f"cannot/{name}.tsv", "sentence\tnegated\nA lake.\tNo lake.\nThe same.\tThe same!\n")
    put(tmp_path, "cannot/nan.csv", 'premise,hypothesis,label\n"Not all, no.",Some.,entailment\n')
    tenth, rest = sources.cannot(tmp_path, "tenth"), sources.cannot(tmp_path, "rest")
    assert len(tenth) + len(rest) == 99 * 2 + 6 + 1
    assert 0 < len(tenth) < 50
    texts = [{text for row in rows for text in (row.query, row.document)} for rows in (tenth, rest)]
    assert not texts[0] & texts[1]
    assert (1, 1) in labels(rest) and (0, 0) in labels(rest)


def test_captions(tmp_path: Path) -> None:
    entry = {"id": 5, "caption": "A red car.", "caption2": "The car is red.", "negative_caption": "A blue car."}
    for kind in ("att", "obj", "rel"):
        put(tmp_path, f"sugarcrepe_pp/replace_{kind}.json", json.dumps([entry]))
    rows = sources.sugarcrepe_pp(tmp_path)
    assert labels(rows[:3]) == [(1, 1), (0, 0), (0, 0)]
    assert [row.category for row in rows[::3]] == ["attribute", "entity", "relation"]
    assert len({row.group for row in rows}) == 3


def test_valse_believes_the_majority(tmp_path: Path) -> None:
    votes = {"caption": 2, "foil": 1, "other": 0}
    entries = {
        "kept": {"caption": "Two cats.", "foil": "Six cats.", "mturk": votes},
        "doubted": {"caption": "Two cats.", "foil": "Ten cats.", "mturk": {"caption": 1, "foil": 1, "other": 1}},
        "equal": {"caption": "Two cats.", "foil": "Two cats.", "mturk": votes},
    }
    names = (
        "action-replacement counting-adversarial counting-hard counting-small-quant existence foil-it plurals relations"
    )
    for name in names.split():
        put(tmp_path, f"valse/{name}.json", json.dumps(entries))
    rows = sources.valse(tmp_path)
    assert {(row.query, row.document, row.pairs) for row in rows} == {("Six cats.", "Two cats.", 0)}
    assert {row.category for row in rows} >= {"action", "number", "negation", "entity", "quantifier", "spatial"}


def test_stsb_leaves_the_middle_out(tmp_path: Path) -> None:
    start = "main\tfile\t2012\t1"
    text = f'{start}\t4.5\tA "b.\tA b.\n{start}\t3.0\tA.\tB.\n{start}\t2.5\tA.\tB.\tfrom\there\n'
    assert labels(sources.stsb(put(tmp_path, "stsb/sts-dev.csv", text), "dev")) == [(1, 1), (0, 0)]
    with pytest.raises(DataMalformed, match="2 columns"):
        sources.stsb(put(tmp_path, "stsb/sts-test.csv", "a\tb\n"), "test")


def test_negnli_reads_both_encodings(tmp_path: Path) -> None:
    header = "index\tText\tHypothesis\tgold_label\r\n"
    put(tmp_path, "negnli/RTE.txt", header + "0\tIt is \u201cfine\u201d.\tNo.\tnot_entailment\r\n", "cp1252")
    put(tmp_path, "negnli/SNLI.txt", header + "0\tCaf\u00e9.\tYes.\tentailment\r\n")
    put(tmp_path, "negnli/MNLI.txt", header)
    rows = sources.negnli(tmp_path)
    assert [row.document for row in rows] == ["It is \u201cfine\u201d.", "Caf\u00e9."]
    assert labels(rows) == [(0, 0), (None, 1)]


def squad(count: int) -> str:
    """A SQuAD-form file: paragraph i says who met whom in which year."""
    names = ["Anna", "Berta", "Cora", "Dora", "Elsa", "Frida", "Gerda", "Hanna"]
    paragraphs = []
    for i in range(count):
        context = f"Rain  fell. {names[i]} met the zebra{i} of town in {1900 + i}."
        answer = {"text": str(1900 + i), "answer_start": context.index(str(1900 + i))}
        qas = [{"question": f"When did {names[i]} meet the zebra{i} of town?", "id": str(i), "answers": [answer]}]
        paragraphs.append({"context": context, "qas": qas})
    return json.dumps({"data": [{"paragraphs": paragraphs}]})


def test_questions_are_answered_left_open_and_edited(tmp_path: Path) -> None:
    rows = sources.xquad_en(put(tmp_path, "xquad_en/xquad.en.json", squad(8)))
    first = [row for row in rows if row.group == "xquad_en:0"]
    assert labels(first) == [(None, 1), (0, 0), (0, 0)]
    answered, open_, edited = first
    assert answered.document == "Rain fell. Anna met the zebra0 of town in 1900."
    assert open_.query == answered.query and "1900" not in open_.document
    assert edited.document == answered.document and edited.category == "entity"
    assert "Anna" not in edited.query and edited.query.endswith("meet the zebra0 of town?")
    assert rows == sources.xquad_en(tmp_path)


def test_window_holds_the_answer() -> None:
    passage = " ".join(f"Sentence number {i} says a few words." for i in range(60))
    for i in (0, 17, 59):
        start = passage.index(f"Sentence number {i} ")
        window = sources.passage_window(passage, start)
        assert f"Sentence number {i} " in window and len(window.split()) <= 150 and window in passage
    endless = " ".join(f"w{i}" for i in range(400))
    assert "w399" in sources.passage_window(endless, endless.index("w399")).split()


def test_cranfield_numbers_queries_by_order(tmp_path: Path) -> None:
    document = (
        "<doc>\n<docno>{0}</docno>\n<title>a & b{0} .</title>\n<text>a & b{0} .\nmore <0.5 text .</text>\n</doc>\n"
    )
    put(tmp_path, "cranfield/cran.all.1400.xml", document.format(1) + document.format(2))
    put(
        tmp_path,
        "cranfield/cran.qry.xml",
        "<top>\n<num> 7</num><title>\nwhat\nlaws .\n</title></top><top><title>x</title></top>",
    )
    collection = sources.cranfield(put(tmp_path, "cranfield/cranqrel.trec.txt", "1 0 2 3\r\n1 0 1 0\r\n2 0 1 -1\r\n"))
    assert collection.documents["1"] == "a & b1. more <0.5 text ."
    assert collection.queries == {"1": "what laws ."}
    assert collection.qrels == {"1": {"2": 3}}


def test_scifact(tmp_path: Path) -> None:
    put(tmp_path, "scifact/corpus.jsonl", '{"_id": "4", "title": "T.", "text": "Two\\u2028lines."}\n')
    put(tmp_path, "scifact/queries.jsonl", '{"_id": "1", "text": "c"}\n{"_id": "2", "text": "d"}\n')
    collection = sources.scifact(put(tmp_path, "scifact/qrels/test.tsv", "query-id\tcorpus-id\tscore\r\n1\t4\t1\r\n"))
    assert collection.documents == {"4": "T. Two lines."}
    assert (collection.queries, collection.qrels) == ({"1": "c"}, {"1": {"4": 1}})


def row(query: str, document: str, source: str) -> Pair:
    return Pair(query, document, 0, 0, "role", source, "g")


SEEN = row("The old man saw a boat.", "A boat was seen by the tall old man there.", "test")


@pytest.mark.parametrize(
    ("candidate", "dropped", "remark"),
    [
        (row("the old man saw a boat", "x", "stsb"), True, "a report text, punctuation aside"),
        (row("the old man saw a boat", "x", "snli"), False, "a short hypothesis may meet by chance"),
        (row("x", "the old man saw a boat", "snli"), True, "a premise may not"),
        (row("the old man saw a boat", "x", "hans"), False, "templates meet by chance"),
        (row(SEEN.document, SEEN.query, "hans"), True, "the pair itself, turned round"),
        (row("The old man saw a big boat.", "There a boat was seen by the tall old man.", "stsb"), True, "a near copy"),
        (row("The young man saw a whale.", "A whale was seen by the young man here.", "stsb"), False, "another pair"),
    ],
)
def test_drop_overlap(candidate: Pair, dropped: bool, remark: str) -> None:
    rows, removed = sources.drop_overlap([candidate], [SEEN])
    assert (rows == []) is dropped, remark
    assert removed == ({candidate.source: 1} if dropped else {})


def test_text_is_read_with_any_line_end(tmp_path: Path) -> None:
    assert read_text(put(tmp_path, "a", "x\r\ny\n"), "a") == "x\ny\n"


@pytest.mark.skipif("SIMGATE_DATA" not in os.environ, reason="SIMGATE_DATA names no data folder")
def test_the_whole_data() -> None:
    folder = Path(os.environ["SIMGATE_DATA"])
    train, report = sources.train_pairs(folder), sources.report_pairs(folder)
    assert len(train) > 110_000
    assert all({0, 1} <= {row.passages for row in rows} for rows in report.values())
    assert all(row.query.strip() and row.document.strip() for row in chain(train, *report.values()))
    assert sources.drop_overlap(train, chain.from_iterable(report.values()))[1] == {}
    assert (len(sources.cranfield(folder).documents), len(sources.scifact(folder).queries)) == (1400, 300)
