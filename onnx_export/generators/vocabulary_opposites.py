"""Opposites, synonyms and names of one kind, each a text of rows: `one/other` both ways, `one>other` one way."""

from __future__ import annotations

OPPOSED_ADJECTIVES = (
    "young/old,open/closed,full/empty,wet/dry,happy>unhappy,unhappy>happy,sad>happy,asleep/awake,clean/dirty,"
    "hot/cold,rich/poor,strong/weak,wide/narrow,deep/shallow,thick/thin,loud/quiet,safe/dangerous,"
    "cheap/expensive,easy/difficult,possible/impossible,legal/illegal,successful/unsuccessful,public/private,"
    "male/female,ancient/modern,rural/urban,internal/external,temporary/permanent,positive/negative,"
    "major/minor,dead/alive,large/small,big/small,tall>short,long/short,good/bad,rare/common,"
    "popular/unpopular,foreign/domestic,guilty/innocent,visible/invisible,correct/incorrect,"
    "accurate/inaccurate,similar/different,false>true,useful/useless,smooth/rough,soft/hard,tight/loose,"
    "healthy>unhealthy,polite/rude,crowded/deserted,sunny/cloudy,fast/slow,huge/tiny,heavy>light,warm/cool,"
    "optional/mandatory,legitimate/illegitimate,reliable/unreliable,complete/incomplete,known/unknown,"
    "able/unable,aware/unaware,likely/unlikely,fair/unfair,comfortable/uncomfortable,necessary/unnecessary,"
    "regular/irregular,formal/informal,direct/indirect,active/inactive,effective/ineffective,"
    "dependent/independent,responsible/irresponsible,satisfied/dissatisfied,perfect/imperfect,simple/complex,"
    "strict/lenient,brave/cowardly,calm/agitated,bald/long-haired,friendly/hostile,beautiful/ugly"
)
OPPOSED_ADVERBS = (
    "quickly/slowly,quietly/loudly,carefully/carelessly,partially/completely,partly/entirely,"
    "successfully/unsuccessfully,legally/illegally,publicly/privately,voluntarily/involuntarily,"
    "happily/sadly,correctly/incorrectly,temporarily/permanently,slowly/quickly"
)
OPPOSED_VERBS = (
    "win/lose,buy/sell,open/close,increase/decrease,rise/fall,push/pull,enter>leave,arrive/depart,accept/reject,"
    "succeed/fail,love/hate,remember/forget,begin/end,include/exclude,import/export,borrow/lend,attack/defend,"
    "laugh/cry,smile/frown,agree/disagree,approve/reject,lock/unlock,strengthen/weaken,"
    "expand/shrink,improve/worsen,praise/criticise,encourage/discourage,support/oppose,ascend/descend,float/sink,"
    "attach/detach,admit>deny,lower/raise,prove/disprove,connect/disconnect,destroy/build,underestimate/overestimate,"
    "enable/disable,widen/narrow,gain>lose,purchase>sell,reduce>increase,sit/stand,activate/deactivate,"
    "install/uninstall,upload/download,mute/unmute,withdraw/deposit,freeze/unfreeze,block/unblock,subscribe/unsubscribe,"
    "encrypt/decrypt,pause/resume,employ>dismiss"
)
OPPOSED_NOUNS = (
    "man/woman,boy/girl,male/female,victory/defeat,success/failure,increase/decrease,"
    "advantage/disadvantage,arrival/departure,entrance/exit,husband/wife,brother/sister,son/daughter,"
    "uncle/aunt,nephew/niece,grandfather/grandmother,supporter/opponent,majority/minority,maximum/minimum,"
    "withdrawal/deposit,employer/employee,landlord/tenant,lender/borrower,sender/recipient,strength/weakness,agreement/disagreement,buyer/seller,ally/enemy,import/export,profit>loss,actor/actress"
)
#: Two words in which one of them has no opposite.
IDIOMS = frozenset(
    "full refund|full size|lost track|lose track|losing track|lost sight|lost touch|lose touch|rough "
    "comparison|rough estimate|rough idea|independent of|stand down|sits down|sit down|sold off|sell off|"
    "sells off|selling off|losing to|lost to|loses to|lose to|lost at|appeared as|appeared in|appears in|"
    "appears as|appeared on|appears on|appear in|appear on|appear as|appear to|appears to|appeared to|"
    "appeared at|appear at|young boy|young boys|young girl|young girls|young child|young children|young kid|"
    "young kids|small child|small children|small boy|small girl|small kid|short order|hot dog|hot dogs|cold "
    "war|good morning|good evening|good night|good deal|short film|short films|short story|short stories|"
    "long term|short term|long time|long way|as long|so long|how long|too long|all day|every day|one day|day "
    "of|per day|the end|in end|major league|major leagues|private equity|public domain|public school|public "
    "schools|old fashioned|years old|year old|no longer|high school|big deal|small talk|big bang|good luck|"
    "good thing|good idea|good job|dead end|dead sea|hard drive|hard disk|hard copy|soft drink|soft drinks|"
    "soft drive|open source|open air|common sense|common law|common name|true story|true love|as good|too "
    "good|so good|pretty good|real good|long since|long after|long before|before long|fast food|slow motion|"
    "close up|cold beer|cold water|hot water|hot tub|good at|good for|good with|well known|wide range|wide "
    "variety|deep breath|full time|full name|full length|full moon|full circle|full blown|free will|dry "
    "cleaning|dry ice|wet suit|strong wind|happy birthday|young adult|old age|a long|for long|positive "
    "number|negative number|dead body|dead bodies|sick of|big screen|big apple|big brother|day before|day "
    "after|day trip|day to|day job|night before|good old|cool off|cool down|regular season|major in|public "
    "transport|public transportation|public relations|public health|public opinion|public office|private "
    "sector|public sector|private parts|sit up|sitting on|cry out|stand for|stands for|stood for|stand in|"
    "stand up|standing up|stand by|stands by|stood by|stand out|stands out|fall in|fell in|fall apart|fell "
    "apart|falls apart|fell asleep|fall asleep|falls asleep|fell into|fall into|fall under|falls under|pull "
    "up|pulled up|pulls up|pulling up|pull off|pulled off|pull over|pulled over|pulling out|pull out|pulled "
    "out|win over|sell out|sold out|buy out|open up|opened up|opens up|end up|ends up|ended up|ending up|"
    "rise up|rose up|close to|close enough|raise money|raised money|raise funds|raised funds|raise awareness|"
    "raise children|raise kids|raised in|raised by|raises money|lose weight|lost weight|losing weight|gain "
    "weight|gained weight|lost in|lost his|lost her|lost their|lost my|losing my|gain access|gained access|"
    "push for|pushed for|pushing for|push back|lose sight|long run|short run|female cast|good number|close "
    "attention|light weight|fall over|fell over|fall down|fell down|falling down|falling off|fall off|fell "
    "off|fall out|fell out|falling out|falling apart|buy into|buy in|positive side|long hair|safe to|free of|"
    "full of|fair amount|fair share|fair to|simple matter|simple as|hard time|easy way|hard to|likely to|"
    "able to|unable to|similar to|different to|same thing|small amount|long story|big part|large part|good "
    "part|great deal|good amount|bad boy|bad guy|good guy|old man|old lady|rich in|poor quality|poor in|day "
    "and|night and|man in|mother in|father in|light on|light up|son in|daughter in|sun rises|sun rose|true "
    "to|beginning to|begin to|begins to|began to|opposition to|open to|opens with|opened with|opening with|"
    "ends with|opens in|closed in|closing in".split("|")
)
EQUAL_VERBS = "purchase/buy,assist>help,reside>live,construct>build,begin>start,yell/shout,attempt>try,stare/gaze"
EQUAL_NOUNS = (
    "kid/child,automobile>car,photograph/photo,bicycle>bike,movie/film,physician/doctor,attorney/lawyer,"
    "sofa/couch,store/shop,gentleman>man,airplane>plane,refrigerator/fridge,taxi>cab,motorcycle/motorbike,"
    "mom>mother,dad>father,grandma>grandmother,grandpa>grandfather,lawn>grass,author/writer,"
    "trousers/pants,infant/baby,woods>forest,film>movie,policeman>police officer,cellphone/mobile phone"
)
EQUAL_ADJECTIVES = (
    "big/large,ill>sick,wealthy>rich,grey/gray,entire>whole,difficult>hard,famous>well-known,huge/enormous,glad>happy"
)
EQUAL_OTHERS = (
    "rapidly/quickly,frequently>often,near>close to,beside/next to,approximately>roughly,almost/nearly,"
    "although>though,mainly>mostly,primarily>mainly,upon>on,toward/towards,amongst>among,usually>normally,"
    "subsequently>later,initially>at first,outdoors>outside,currently>at present,sometimes>at times,maybe/perhaps"
)
#: Names of which no two are the same, or part of each other, within a kind.
COUNTRIES = (
    "France Germany Italy Spain Portugal Poland Sweden Norway Denmark Finland Austria Switzerland Hungary "
    "Romania Bulgaria Greece Turkey Egypt Morocco Kenya Nigeria Ghana Ethiopia Brazil Argentina Chile Peru "
    "Colombia Mexico Canada Cuba Japan China India Pakistan Bangladesh Nepal Thailand Vietnam Indonesia "
    "Malaysia Australia Iran Iraq Israel Ireland Belgium Iceland Ukraine Croatia Serbia"
)
CITIES = (
    "Paris London Berlin Madrid Rome Vienna Prague Warsaw Budapest Stockholm Oslo Copenhagen Helsinki Dublin "
    "Lisbon Athens Moscow Istanbul Cairo Tokyo Beijing Shanghai Delhi Mumbai Sydney Melbourne Toronto "
    "Montreal Chicago Boston Seattle Houston Dallas Denver Detroit Philadelphia Atlanta Miami Glasgow "
    "Manchester Liverpool Munich Hamburg Milan Barcelona Amsterdam Brussels Geneva Cleveland Pittsburgh "
    "Baltimore"
)
STATES = (
    "Texas California Ohio Florida Illinois Michigan Pennsylvania Oregon Nevada Arizona Utah Colorado Kansas "
    "Iowa Minnesota Wisconsin Indiana Kentucky Tennessee Alabama Louisiana Arkansas Oklahoma Nebraska Maine "
    "Vermont Massachusetts Connecticut Maryland Alaska Hawaii Idaho Montana Wyoming"
)
PEOPLES = (
    "French German Italian Spanish Portuguese Polish Swedish Norwegian Danish Finnish Austrian Swiss "
    "Hungarian Romanian Bulgarian Greek Turkish Egyptian Brazilian Mexican Canadian Japanese Chinese Indian "
    "Russian Australian Irish Dutch"
)
PERSONS = (
    "John James Robert Michael William David Richard Thomas Charles Daniel Matthew Anthony Mark Paul Steven Andrew "
    "Kenneth George Kevin Brian Edward Ronald Timothy Jason Jeffrey Gary Stephen Larry Scott Eric Peter Henry"
)
WOMEN = (
    "Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Nancy Lisa Margaret Sandra "
    "Ashley Emily Anna Laura Rachel Helen Maria Julia Alice"
)
LEARNED = (
    "physics chemistry biology mathematics economics philosophy psychology sociology geology astronomy linguistics"
)
PLAYED = "guitar piano violin cello trumpet saxophone flute harmonica accordion banjo"
SPORTS = "football basketball baseball tennis hockey volleyball rugby cricket golf badminton"
FRUITS = "apple banana orange pear peach lemon strawberry pineapple"
KINDS = tuple(
    tuple(row.split()) for row in (COUNTRIES, CITIES, STATES, PEOPLES, PERSONS, WOMEN, LEARNED, PLAYED, SPORTS)
)
