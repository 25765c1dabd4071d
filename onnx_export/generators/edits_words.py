"""Words that may be exchanged: synonyms, opposites, inverse relations."""

from __future__ import annotations

from functools import lru_cache

from onnx_export.generators.phrase import inflect
from onnx_export.generators.slots import ENTRIES
from onnx_export.generators.vocabulary_verbs import DEGREES

#: Same meaning in nearly every sentence: `kind word=word`.
SYNONYMS = {
    "verb": "start=begin,purchase=buy,assist=help,reside=live,depart=leave,obtain=get,construct=build,permit=allow,"
    "choose=select,finish=complete,shut=close,yell=shout,speak=talk,gather=collect,repair=fix,respond=reply,"
    "require=need,receive=get,retain=keep,demonstrate=show,occur=happen,attempt=try,shout=yell,leap=jump,gaze=stare,"
    "chat=talk,pedal=cycle",
    "noun": "kid=child,automobile=car,photograph=photo,bicycle=bike,movie=film,physician=doctor,attorney=lawyer,"
    "sofa=couch,infant=baby,puppy=young dog,road=street,pavement=sidewalk,sidewalk=footpath,shop=store,store=shop,"
    "gentleman=man,individual=person,sea=ocean,cap=hat,jacket=coat,trousers=pants,rock=stone,woods=forest,boat=vessel,"
    "airplane=plane,laptop=notebook computer,television=TV,fridge=refrigerator,refrigerator=fridge,couch=sofa,"
    "photo=photograph,bike=bicycle,film=movie,forest=woods,town=small city,author=writer,writer=author,song=tune,"
    "cab=taxi,taxi=cab,telephone=phone,motorcycle=motorbike,motorbike=motorcycle,birth=day of birth,spouse=partner,"
    "goalkeeper=goalie,mom=mother,dad=father,grandma=grandmother,sunglasses=dark glasses,lawn=grass,"
    "audience=spectators,restroom=toilet,stove=cooker",
    "plain": "big=large,large=big,small=little,little=small,quick=fast,quickly=fast,rapidly=quickly,often=frequently,"
    "frequently=often,near=close to,beside=next to,also=too,approximately=about,roughly=about,around=about,"
    "famous=well-known,nearly=almost,almost=nearly,currently=now,now=currently,while=as,several=a number of,"
    "many=a lot of,but=yet,although=though,though=although,because=since,mainly=mostly,primarily=mainly,mostly=mainly,"
    "entire=whole,whole=entire,initially=at first,subsequently=later,later=afterwards,since=because,until=till,such=so,"
    "usually=normally,sometimes=at times,grey=gray,gray=grey,happy=glad,sad=unhappy,ill=sick,correct=right,"
    "rich=wealthy,wealthy=rich,difficult=hard,easy=simple,alone=by himself,together=jointly,outside=outdoors,"
    "outdoors=outside,upon=on,within=inside,toward=towards,towards=toward,amongst=among,among=amongst,"
    "throughout=all over,via=through,however=nevertheless,therefore=thus,thus=therefore",
}
UNSAFE = frozenset(
    "little around while since such alone together within outside later now but also quickly easy fast hard get "
    "town".split()
)
OPPOSED = (
    "man/woman,boy/girl,men/women,boys/girls,male/female,inside/outside,indoors/outdoors,day/night,summer/winter,"
    "young/old,black/white,open/closed,first/last,early/late,happy/sad,empty/full,hot/cold,wet/dry,asleep/awake,"
    "alone/together,sitting/standing,sits/stands,sit/stand,running/walking,runs/walks,laughing/crying,smiling/frowning,"
    "smiles/frowns,pushing/pulling,pushes/pulls,entering/leaving,opened/closed,opens/closes,opening/closing,won/lost,"
    "wins/loses,won/lost,increased/decreased,increases/decreases,rose/fell,rises/falls,bought/sold,buys/sells,"
    "accepted/refused,began/ended,begins/ends,started/stopped,starts/stops,joined/left,joins/leaves,arrived/departed,"
    "arrives/departs,born/buried,father/mother,son/daughter,brother/sister,husband/wife,king/queen,north/south,"
    "northern/southern,eastern/western,east/west,upper/lower,left/right,major/minor,public/private,urban/rural,"
    "ancient/modern,internal/external,maximum/minimum,positive/negative,strong/weak,rich/poor,light/dark,heavy/light,"
    "wide/narrow,deep/shallow,thick/thin,fast/slow,loud/quiet,clean/dirty,hard/soft,long/short,tall/short,large/small,"
    "big/small,high/low,good/bad,common/rare,domestic/foreign,temporary/permanent,legal/illegal,"
    "successful/unsuccessful,possible/impossible,known/unknown,married/divorced,success/failure,victory/defeat,"
    "beginning/end,top/bottom,north-east/south-west,always/never,often/rarely,more/less,most/least,older/younger,"
    "taller/shorter,larger/smaller,bigger/smaller,higher/lower,faster/slower,better/worse,longer/shorter,earlier/later,"
    "largest/smallest,oldest/youngest,longest/shortest,highest/lowest,best/worst,tallest/shortest,greater/lesser"
)
COMPARISONS = frozenset(
    "more less older younger taller shorter larger smaller bigger higher lower faster slower better worse longer "
    "earlier later greater lesser".split()
)
INVERSE = (
    "above/below,over/under,in front of/behind,on top of/under,at the left side of/at the right side of,"
    "left of/right of,to the left of/to the right of,ahead of/behind,beneath/above,inside/outside of,north of/south of,"
    "east of/west of,on/under,into/out of,toward/away from,facing/facing away from,far from/close to,"
    "far away from/close to"
)
#: Of INVERSE, those whose swapped arguments say the same.
CONVERSE = frozenset(
    "above,below,over,under,in front of,behind,on top of,at the left side of,at the right side of,left of,right of,"
    "to the left of,to the right of,ahead of,beneath,north of,south of,east of,west of".split(",")
)
TIMES = {
    "before": "after", "after": "before", "until": "after", "since": "before", "during": "after", "prior": "subsequent",
}  # fmt: skip
QUANTIFIERS = {
    "all": "few", "every": "no", "each": "no", "some": "no", "most": "few", "many": "few", "few": "most",
    "several": "no", "no": "some", "both": "neither of the", "only": "not only", "everyone": "nobody",
    "someone": "nobody", "nobody": "everyone",
}  # fmt: skip
CONTRACTIONS = {
    "is not": "isn't", "are not": "aren't", "was not": "wasn't", "were not": "weren't", "did not": "didn't",
    "does not": "doesn't", "do not": "don't", "has not": "hasn't", "have not": "haven't", "had not": "hadn't",
    "could not": "couldn't", "would not": "wouldn't", "can not": "can't", "cannot": "can't", "will not": "won't",
    "it is": "it's", "there is": "there's", "he is": "he's", "she is": "she's", "they are": "they're",
}  # fmt: skip
COLOURS = frozenset(
    "red blue green yellow black white brown grey gray orange purple pink golden silver blond young old wooden metal "
    "plastic leather small large big little tall short long striped dark light bright".split()
)
SYMMETRIC = frozenset(
    "with and or meet met meets marry married resemble resembles near beside next adjacent touching equal equals "
    "between parallel differs by from alongside opposite connected attached facing close far away versus against like "
    ", ; called named known".split()
)


@lru_cache(maxsize=1)
def opposites() -> dict[str, tuple[str, ...]]:
    """Every word with its opposites.

    Example:
        >>> opposites()["woman"], "short" in opposites()["tall"]
        (('man',), True)
    """
    rows = [row.split("/") for row in OPPOSED.split(",")]
    rows += [row.split("/") for kind in DEGREES.values() for row in kind.split(",")]
    rows += [[side.split(" ")[0] for side in row.split("/")] for row in ENTRIES["opp_quality"].split(",")]
    table: dict[str, tuple[str, ...]] = {}
    for left, right in rows:
        for one, other in ((left, right), (right, left)):
            table[one] = tuple(dict.fromkeys((*table.get(one, ()), other)))
    return table


@lru_cache(maxsize=1)
def synonyms() -> dict[str, str]:
    """Every inflected word with a synonym in the same form.

    Example:
        >>> synonyms()["purchased"], synonyms()["kids"]
        ('bought', 'children')
    """
    table: dict[str, str] = {}
    for kind, tags in (("plain", ()), ("noun", ("NNS",)), ("verb", ("VBD", "VBG", "VBZ"))):
        for left, right in (row.split("=") for row in SYNONYMS[kind].split(",")):
            if left in UNSAFE:
                continue
            table.setdefault(left, right)
            for tag in tags if " " not in right else ():
                table.setdefault(inflect(left, tag), inflect(right, tag))
    return table
