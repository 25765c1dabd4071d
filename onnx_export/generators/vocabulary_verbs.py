"""Verbs, clauses and opposites of the grammar. `,` parts entries, `/` an entry from its opposite, `=` synonyms."""

from __future__ import annotations

VERBS: dict[str, str] = {
    "verb_person": "call,hire,blame,praise,thank,visit,help,trust,warn,invite,photograph,interview,insult,admire,"
    "ignore,arrest,rescue,accuse,comfort,criticise,cheat,betray,deceive,defend,describe,envy,examine,fear,find,forgive,"
    "greet,hug,imitate,impress,inform,introduce,kick,kiss,mock,nominate,notice,obey,offend,paint,pay,persuade,phone,"
    "punish,push,question,recognise,recommend,remember,replace,represent,respect,reward,scold,select,serve,shock,shoot,"
    "slap,sue,support,surprise,tease,tickle,touch,treat,understand,wake,watch,welcome,worry,bribe,challenge,charge,"
    "chase,contact,convince,cure,dismiss,embarrass,encourage,expose,fire,fool,frighten,guide,hire,identify,lift,pity,"
    "promote,quote,search for,spy on,wait for,point at,look after",
    "verb_animal": "chase,bite,scratch,watch,follow,attack,lick,smell,scare,hear,kick,ignore,hunt,sniff,hiss at,"
    "bark at,bump into,jump over,run past,catch,corner,see,approach,eye,stalk,startle",
    "verb_vehicle": "overtake,hit,block,tow,follow,ram,pass,scrape,pull,push,strike,bump into,crash into,"
    "pull up behind,dent",
    "verb_company": "acquire,sue,finance,audit,hire,supply,outbid,take over,insure,advise,sponsor,boycott,rescue,warn,"
    "accuse,compensate,fund,trust,blame,undercut,overtake,copy,outperform,serve",
    "verb_country": "invade,attack,support,recognise,threaten,warn,aid,defeat,occupy,boycott,criticise,thank,outvote,"
    "annex,liberate,blockade,betray,accuse,defend,pay,sue",
    "verb_software": "call,monitor,restart,replace,block,slow down,poll,query,update,overload,notify,trigger,ping,"
    "crash,scan",
    "verb_give": "give,send,show,hand,offer,mail,lend,sell,bring,pass,promise,read,post,return",
    "verb_vp": "paint the fence,read the letter,wash the dishes,call a taxi,lock the door,write the report,"
    "feed the cat,buy some bread,eat lunch,take a shower,sign the lease,check the engine,sell the car,water the plants,"
    "pay the bill,clean the kitchen,watch a film,visit the museum,play tennis,study law,learn French,join the army,"
    "run for office,found a school,move to the coast,open a shop,study medicine,chop the onions,boil the potatoes,"
    "peel the carrots,mix the dough,grease the pan,install the update,restart the server,back up the data,"
    "clear the cache,take the pill,see a doctor,break an ankle,win a medal,train with the team,invest in bonds,"
    "borrow money,close the account,record an album,publish a novel,train as a nurse,plant a tree,fix the roof,"
    "walk the dog,bake a cake,iron the shirts,book a room,pack a bag,drink coffee,brush the horse,take a nap,"
    "light the stove,sweep the floor,set the table,finish school,get married,learn to swim,teach mathematics",
}
CLAUSES: tuple[str, ...] = tuple(
    (
        "the shop close early,the river rise,the price fall,the flight leave late,the bridge collapse,the road close,"
        "the bus stop,the factory shut down,the bank fail,the team withdraw,the minister resign,the court adjourn,"
        "the server crash,the index grow,the backup fail,the disk fill up,the alarm ring,the lights go out,"
        "the milk boil over,the cake burn,the dough rise,the soup cool down,the patient recover,the fever return,"
        "the wound heal,the swelling spread,the crowd leave,the match end,the keeper slip,the striker score,"
        "the coach protest,the army retreat,the king abdicate,the city surrender,the fleet arrive,"
        "the queen travel north,the colony revolt,the harvest fail,the snow melt,the wind drop,the storm turn east,"
        "the dam break,the dog bark,the baby wake up,the guests arrive,the neighbours complain,the tenant move out,"
        "the landlord call,the roof leak,the engine overheat,the tyre burst,the train stop,the ferry sink,"
        "the museum reopen,the school expand,the hotel lose money,sales drop,wages rise,the currency weaken,"
        "the union strike,the investor withdraw,the company hire staff,the committee meet,the jury agree,"
        "the witness lie,the suspect confess,the film win a prize,the singer cancel,the orchestra tour,"
        "the professor retire,the students protest,the exam start late,the printer jam,the website go down,"
        "the user log out,the password expire,the battery die,the pump stop,the crops dry out,the bees disappear,"
        "the ice thicken,the tide turn"
    ).split(",")
)
DEGREES: dict[str, str] = {
    "adj_person": "tall/short,old/young,fast/slow,rich/poor,strong/weak,happy/sad,heavy/light,loud/quiet,polite/rude,"
    "brave/timid,thin/fat,clever/stupid,generous/stingy,careful/careless,patient/impatient,popular/unpopular,"
    "modest/arrogant,lazy/hard-working",
    "adj_thing": "big/small,heavy/light,expensive/cheap,long/short,thick/thin,old/new,wide/narrow,bright/dark,"
    "clean/dirty,hard/soft,smooth/rough,hot/cold,dry/wet,strong/weak,sharp/blunt,light/heavy,dear/cheap,"
    "modern/old-fashioned,fragile/sturdy",
    "adj_place": "big/small,hot/cold,rich/poor,noisy/quiet,expensive/cheap,safe/dangerous,dry/wet,old/young,"
    "modern/old-fashioned,warm/cool,sunny/cloudy,wealthy/poor,polluted/clean",
    "adj_vehicle": "fast/slow,heavy/light,expensive/cheap,loud/quiet,old/new,long/short,big/small,safe/dangerous,"
    "wide/narrow",
    "adj_software": "fast/slow,reliable/unreliable,simple/complex,expensive/cheap,old/new,secure/insecure,"
    "popular/unpopular",
    "adj_event": "early/late,long/short,loud/quiet,large/small,expensive/cheap,popular/unpopular",
}
OPPOSITES: dict[str, str] = {
    "opp_topic": "rise=climb/fall=drop,increase=grow/decrease=decline,soar=shoot up/plunge=plummet,double/halve,"
    "surge=jump/sink=slump,expand=swell/shrink=contract,recover=bounce back/collapse=crash,"
    "go up=move up/go down=come down,accelerate=speed up/slow down",
    "opp_do": "accept=agree to/refuse=turn down,approve=sign off on/reject=veto,allow=permit/forbid=ban,"
    "praise=commend/criticise=condemn,support=back/oppose=resist,buy=purchase/sell=sell off,"
    "start=begin/finish=complete,confirm=verify/deny=dispute,open=unlock/close=shut,raise=lift/lower=bring down,"
    "build=erect/demolish=tear down,win/lose,remember=recall/forget,love=adore/hate=detest,"
    "include=keep in/exclude=leave out,strengthen=reinforce/weaken=undermine,hide=conceal/reveal=show,"
    "improve=enhance/worsen=degrade,lengthen=extend/shorten=cut short,encourage=promote/discourage=deter,"
    "save=keep/delete=erase,enter=go into/leave=exit,join=become part of/quit,publish=release/withhold=hold back,"
    "fix=repair/break=wreck,find=locate/lose,attach=fasten/detach=unfasten,simplify/complicate,widen=broaden/narrow,"
    "pass/fail,heat up=warm up/cool down,obey=follow/defy=break,acquire=obtain/get rid of=dispose of,"
    "unite=bring together/divide=split,protect=guard/endanger=jeopardise,speed up=accelerate/slow down=delay,"
    "expand=enlarge/reduce=cut,enable=switch on/disable=switch off,fill/empty,freeze/thaw=defrost,"
    "create=make/destroy=ruin,defend/attack,trust/distrust=mistrust,respect=esteem/despise=scorn,"
    "legalise/outlaw=prohibit,prevent=stop/cause=bring about,keep=retain/abandon=give up,admit=concede/deny=contest,"
    "clean=tidy/dirty=soil,wet=moisten/dry,wrap=pack/unwrap=unpack,load/unload,connect=plug in/disconnect=unplug,"
    "install=set up/uninstall=remove,encrypt=encode/decrypt=decode,overestimate/underestimate,hire=employ/dismiss=fire,"
    "lock/unlock,import/export,borrow/lend,fold/unfold,cover/uncover,tighten/loosen=slacken,sharpen/blunt,"
    "straighten/bend=curve,assemble=put together/dismantle=take apart,welcome=greet/shun=avoid,like=enjoy/dislike,"
    "pull=tug/push=shove,promote/demote,insert=put in/extract=pull out,bless/curse,arm/disarm,ease=relieve/aggravate,"
    "multiply/divide,maximise/minimise,activate=turn on/deactivate=turn off",
    "opp_go": "arrive=turn up/leave=depart,succeed/fail,win/lose,laugh/cry=weep,stay=remain/go away=leave,"
    "wake up/fall asleep,sit down/stand up,speak=talk/keep silent,survive=live/die=perish,"
    "advance=move forward/retreat=withdraw,agree=consent/disagree=object,"
    "gain weight=get heavier/lose weight=get thinner,dress=get dressed/undress=get undressed,speed up/slow down,"
    "attend=be present/be absent,get better=recover/get worse=deteriorate,tell the truth/lie,enlist=join up/desert,"
    "marry=get married/divorce=get divorced,save money=put money aside/waste money=squander money",
}
#: Objects that suit each opposite, by its first verb; others take a neutral object.
OBJECTS: dict[str, str] = {
    "buy": "the house,the farm,the shares,the boat,the land",
    "start": "the course,the project,the race,the letter,the work",
    "open": "the gate,the window,the door,the shop,the valve",
    "raise": "the price,the blinds,the rent,the tax,the flag", "build": "the wall,the tower,the bridge,the shed",
    "win": "the match,the final,the election,the case,the battle",
    "remember": "the password,the date,the address,the appointment,the name",
    "strengthen": "the position,the currency,the law", "hide": "the truth,the letter,the results,the scar,the plan",
    "improve": "the quality,the situation,the service,the air", "lengthen": "the skirt,the course,the speech,the route",
    "save": "the file,the message,the photograph,the draft", "enter": "the building,the room,the market,the race",
    "join": "the club,the army,the party,the choir,the union",
    "fix": "the fence,the radio,the lamp,the chair,the clock",
    "find": "the key,the ring,the passport,the wallet,the way", "attach": "the label,the trailer,the cable,the handle",
    "simplify": "the process,the form,the tax code,the recipe", "widen": "the road,the path,the gap,the search",
    "pass": "the exam,the test,the driving test,the course,the inspection",
    "heat up": "the soup,the room,the engine,the milk", "obey": "the rules,the order,the law,the court",
    "unite": "the party,the country,the family,the village", "protect": "the village,the forest,the patient,the coast",
    "speed up": "the process,the delivery,the search,the work",
    "enable": "the alarm,the plug-in,the account,the feature", "fill": "the bucket,the tank,the bottle,the bath",
    "freeze": "the soup,the fish,the bread,the berries", "create": "the file,the garden,the sculpture,the database",
    "defend": "the town,the fort,the bridge,the minister", "trust": "the lawyer,the report,the witness,the bank",
    "respect": "the king,the coach,the teacher,the tradition", "legalise": "the trade,the practice,the drug,the game",
    "prevent": "the fire,the accident,the delay,the war,the leak",
    "admit": "the error,the theft,the mistake,the charge", "clean": "the floor,the carpet,the coat,the boots",
    "wet": "the cloth,the sponge,the towel", "wrap": "the present,the glasses,the parcel",
    "load": "the van,the ship,the cart", "connect": "the printer,the router,the lamp,the heater",
    "install": "the driver,the program,the plug-in", "encrypt": "the message,the disk,the backup,the file",
    "overestimate": "the cost,the risk,the danger,the demand", "hire": "the cook,the guard,the coach,the driver",
    "lock": "the door,the safe,the bicycle,the gate", "import": "the rice,the steel,the wine,the timber",
    "borrow": "the money,the ladder,the car,the tent", "fold": "the map,the tent,the napkin,the chair",
    "cover": "the pot,the pool,the well,the mirror", "tighten": "the screw,the rope,the belt,the bolt",
    "sharpen": "the knife,the axe,the sword", "straighten": "the wire,the pipe",
    "assemble": "the shelf,the engine,the tent,the bed", "welcome": "the stranger,the guests,the newcomer",
    "like": "the film,the soup,the song,the new teacher", "pull": "the cart,the door,the lever,the rope",
    "promote": "the clerk,the captain,the officer", "insert": "the needle,the card,the tube",
    "bless": "the ship,the child", "arm": "the rebels,the bomb,the guards", "ease": "the pain,the tension,the symptoms",
    "multiply": "the numbers,the total", "maximise": "the profit,the risk,the speed",
    "activate": "the alarm,the card,the sensor", "expand": "the garden,the staff",
    "love": "the city,the music,the job,the winter", "encourage": "the visitors,the trade,the investors",
    "acquire": "the shares,the paintings,the horses",
}  # fmt: skip


def clauses() -> tuple[tuple[str, str], ...]:
    """Every clause as (subject, verb phrase).

    Example:
        >>> clauses()[0]
        ('the shop', 'close early')
    """
    cut = [entry.split(" ") for entry in CLAUSES]
    size = [2 if entry[0] == "the" else 1 for entry in cut]
    return tuple((" ".join(e[:n]), " ".join(e[n:])) for e, n in zip(cut, size, strict=True))
