"""Nouns, names and places of the grammar, by kind. One line of words a kind; `,` parts entries."""

from __future__ import annotations

FIRST_NAMES = (
    "Maria Omar Lena Tomas Priya Kenji Aisha Ravi Greta Paulo Nadia Viktor Ingrid Samuel Chloe Mateo Yuki Farah Oscar "
    "Leila Hugo Anita Boris Celia Dmitri Elena Felix Gina Henrik Irene Jamal Karin Luis Mona Niels Olga Pedro Quentin "
    "Rosa Stefan Tara Umberto Vera Walter Xenia Yusuf Zoe Arthur Beatrice Clara Daniel Esther Frank Grace Howard Ida "
    "Jack Kate Liam Nora Owen Peter Ruth Simon Teresa Ulrich Victoria William Zara Adam Bella Carlos Diana Emma George "
    "Hannah Ian Julia Kevin Laura Martin Nina Oliver Paula Robert Sarah Thomas Ursula Vincent Wendy Anna Ben Charlotte "
    "David Eva Fiona Gabriel Helen"
).split()
LAST_NAMES = (
    "Lopez Haddad Novak Sharma Tanaka Okafor Berg Silva Petrov Moreau Weber Rossi Jensen Costa Ivanova Brown Miller "
    "Clark Davies Evans Foster Green Hughes King Lewis Morgan Nelson Parker Reed Scott Turner Walker Young Adams Baker "
    "Carter Diaz Edwards Fischer Garcia Hill Ito Johansson Kim Larsen Meyer Nguyen Olsen Patel Quinn Romero Schmidt "
    "Torres Vargas Wang Yilmaz Zhang Abbott Brandt Chen Duarte Engel Fontaine Grant Hansen"
).split()
WORDS: dict[str, str] = {
    "person_noun": "nurse,baker,lawyer,teacher,farmer,pilot,singer,plumber,judge,dentist,chef,waiter,poet,mayor,"
    "carpenter,librarian,engineer,painter,surgeon,butcher,gardener,tailor,detective,reporter,actor,dancer,soldier,"
    "sailor,student,professor,secretary,accountant,banker,clerk,guard,driver,mechanic,electrician,photographer,"
    "pharmacist,architect,translator,manager,director,coach,referee,senator,governor,ambassador,violinist,drummer,"
    "conductor,novelist,editor,publisher,shepherd,fisherman,hunter,blacksmith,potter,jeweller,florist,grocer,barber,"
    "cashier,janitor,porter,landlord,tenant,neighbour,visitor,witness,doctor,patient,scientist,historian,priest,bishop,"
    "monk,knight,duke,colonel,captain,sergeant,general,admiral,prince,emperor,woman,boy,girl,old man,young woman,"
    "tall man,bride,uncle,widow",
    "people_noun": "nurses,students,teachers,workers,soldiers,farmers,engineers,lawyers,children,dancers,tourists,"
    "players,musicians,guards,voters,clerks,painters,doctors,pilots,journalists,twins,sailors,hikers,researchers,"
    "volunteers",
    "animal": "dog,cat,horse,goat,cow,fox,wolf,bear,lion,tiger,rabbit,hare,otter,badger,hawk,eagle,owl,crow,goose,duck,"
    "swan,pigeon,sheep,pig,donkey,camel,monkey,snake,lizard,frog,toad,turtle,shark,seal,dolphin,whale,squirrel,mouse,"
    "rat,hedgehog,deer,moose,elephant,zebra,giraffe,leopard,puppy,kitten,parrot,rooster",
    "vehicle": "car,truck,bus,van,tractor,taxi,motorcycle,bicycle,ambulance,train,tram,boat,ferry,ship,yacht,canoe,"
    "plane,jet,helicopter,scooter,fire engine,police car,lorry,jeep,minibus,barge,tanker,trailer,limousine,pickup",
    "company": "Northwind,Halden Steel,Acme Foods,Orbis Bank,Lumen Labs,Kestrel Airways,Vantage Media,Delta Motors,"
    "Pinewood,Solara,Brightwater,Cobalt Systems,Evergreen Energy,Falcon Logistics,Granite Insurance,Harbor Textiles,"
    "Ironbridge,Juniper Health,Larkspur,Meridian,Nimbus Software,Oakfield,Polar Shipping,Quantex,Redstone Mining,"
    "Silverline,Terra Nova,Umbra Games,Valero Pharma,Westgate,Zephyr Telecom,Blue Anchor,Crown Paper,Atlas Robotics,"
    "Monarch Hotels,Summit Capital",
    "team": "Rovers,Rangers,Eagles,Tigers,Hornets,Falcons,Wolves,Sharks,Bulls,Bears,Pirates,Comets,Dragons,Knights,"
    "Vikings,Panthers,Warriors,Lions,Raiders,Giants,Badgers,Cobras,Hurricanes,Wanderers,Ravens,Stallions",
    "city": "Paris,Berlin,Rome,Madrid,Lisbon,Vienna,Prague,Warsaw,Oslo,Dublin,Athens,Cairo,Nairobi,Lagos,Tunis,Dakar,"
    "Lima,Quito,Bogota,Santiago,Havana,Boston,Chicago,Denver,Seattle,Toronto,Montreal,Tokyo,Osaka,Seoul,Hanoi,Manila,"
    "Jakarta,Delhi,Mumbai,Karachi,Tehran,Baghdad,Ankara,Kyiv,Riga,Vilnius,Helsinki,Stockholm,Hamburg,Munich,Milan,"
    "Naples,Turin,Lyon,Bordeaux,Seville,Porto,Geneva,Zurich,Sydney,Perth,Auckland,Leeds,Bristol,Glasgow",
    "country": "France,Germany,Italy,Spain,Portugal,Austria,Poland,Norway,Sweden,Finland,Denmark,Ireland,Greece,Egypt,"
    "Kenya,Nigeria,Tunisia,Senegal,Peru,Ecuador,Colombia,Chile,Cuba,Canada,Mexico,Brazil,Argentina,Japan,Vietnam,"
    "Indonesia,India,Pakistan,Iran,Iraq,Turkey,Ukraine,Latvia,Hungary,Bulgaria,Romania,Croatia,Switzerland,Belgium,"
    "Australia,Morocco,Ghana",
    "river": "Danube,Rhine,Elbe,Seine,Loire,Thames,Volga,Nile,Niger,Congo,Amazon,Ganges,Indus,Mekong,Tigris,Euphrates,"
    "Ebro,Po,Oder,Vistula,Tagus,Hudson,Ohio,Missouri,Orinoco,Zambezi",
    "furniture": "table,chair,sofa,desk,bed,wardrobe,bookshelf,lamp,mirror,cupboard,armchair,stool,bench,dresser,"
    "cabinet,carpet,piano,fireplace,television,clock,painting,window,curtain,radiator,crib,couch,rug,chest,fan,plant",
    "small": "cup,plate,bowl,spoon,knife,fork,kettle,teapot,jar,bottle,vase,candle,book,newspaper,notebook,pen,pencil,"
    "key,phone,laptop,tablet,camera,watch,wallet,basket,tray,towel,pillow,blanket,toy,doll,ball,box,envelope,letter,"
    "folder,coin,ring,remote control,lunch box,screwdriver,hammer,umbrella,apple,orange,lemon,sandwich,cake,flashlight",
    "container": "box,drawer,suitcase,bag,basket,jar,bucket,crate,barrel,chest,backpack,tin,safe,envelope,trunk,case,"
    "pot",
    "garment": "coat,scarf,hat,dress,shirt,jacket,sweater,skirt,tie,vest,cap,blouse,cardigan,raincoat,uniform,belt,"
    "cloak,apron,robe,T-shirt,hoodie,suit,helmet,shawl,turban,beret",
    "gift": "book,ticket,letter,parcel,bicycle,watch,camera,painting,key,map,guitar,contract,ring,laptop,invoice,"
    "recipe,manuscript,necklace,photograph,suitcase,lamp,report,medal,receipt,umbrella,drum,kite,puppet,vase,tent,"
    "violin,car,boat,old sofa,notebook,telescope,carpet,chess set,spare key,signed form,file",
    "building": "library,school,hospital,church,museum,hotel,bank,bakery,station,theatre,stadium,factory,market,"
    "post office,town hall,pharmacy,castle,lighthouse,temple,mosque,warehouse,cinema,gym,prison,airport,harbour,mill,"
    "tower,bridge,court",
    "software": "server,database,router,printer,browser,compiler,scheduler,cache,firewall,proxy,gateway,load balancer,"
    "search index,backup,driver,installer,plug-in,parser,mail client,payment service,login page,sensor,controller,"
    "message queue,dashboard",
    "happening": "concert,auction,election,merger,parade,wedding,trial,strike,festival,flood,earthquake,premiere,"
    "inspection,audit,exam,interview,banquet,funeral,siege,treaty,revolution,coronation,launch,referendum,storm,"
    "blackout,fire,landslide,drought,epidemic,upgrade,migration,ceasefire,invasion,marathon,final,workshop,lecture,"
    "rehearsal,debate,press conference,evacuation",
    "trouble": "flood,power cut,fire,strike,outage,crash,delay,leak,explosion,shortage,panic,riot,recession,infection,"
    "fever,explosion,landslide,price rise,memory leak,timeout,collapse,drought,famine,bankruptcy,traffic jam,"
    "short circuit,evacuation,data loss,allergic reaction,inflammation,headache,rash,merger,scandal,resignation,war,"
    "rebellion,boycott,lawsuit,layoffs",
    "colour": "red,blue,green,yellow,black,white,brown,grey,orange,purple,pink,golden,silver,beige,turquoise",
    "material": "wooden,metal,plastic,leather,glass,stone,paper,woollen,cotton,silk,steel,copper,clay,marble,velvet",
    "state": "broken,clean,dirty,wet,dry,empty,full,open,closed,new,old,locked,rusty,dusty,painted,folded,torn,cracked,"
    "shiny,dull",
    "size": "big,small,tiny,huge,long,short,narrow,wide,round,square,thin,thick,heavy,light,tall,low",
    "mood": "happy,sad,angry,calm,nervous,tired,bored,proud,hungry,thirsty,sick,drunk,shy,busy,late,asleep,awake,"
    "barefoot,bald,rich,poor,blind,deaf,famous,unemployed,retired,married,single,pregnant,injured,lost,cold",
    "job": "dentist,lawyer,farmer,painter,nurse,pilot,teacher,plumber,judge,chef,poet,singer,engineer,soldier,banker,"
    "butcher,tailor,librarian,surgeon,mechanic,actor,accountant,architect,photographer",
    "activity": "reading,sleeping,singing,dancing,cooking,swimming,running,drawing,knitting,laughing,crying,eating,"
    "smoking,working,waiting,driving,praying,shouting,fishing,climbing,skating,sewing,writing,whistling",
    "day": "Monday,Tuesday,Wednesday,Thursday,Friday,Saturday,Sunday",
    "month": "January,February,March,April,May,June,July,August,September,October,November,December",
    "unit": "chairs,tables,books,tickets,students,guests,cars,houses,rooms,bottles,apples,eggs,boxes,trees,cows,sheep,"
    "soldiers,nurses,letters,reports,errors,servers,files,patients,players,goals,points,shares,loans,recipes,songs,"
    "films,paintings,votes,seats,lamps,keys,coins,maps,bridges,schools,ships,planes,bicycles,shops,pages,photographs,"
    "questions,mistakes,spoons",
    "thing_priced": "ticket,coat,laptop,book,chair,lamp,phone,bicycle,ring,painting,sofa,camera,watch,guitar,meal,room,"
    "car,suit,carpet,flight,subscription,course,licence,vaccine,bottle of wine,kilo of rice,sandwich,stamp,tent,clock",
    "topic": "exports,imports,sales,rents,wages,prices,taxes,costs,profits,births,votes,visitors,emissions,deaths,"
    "debts,savings,donations,fees,crimes,complaints,orders,infections,downloads,errors,crashes",
}


def words(kind: str) -> tuple[str, ...]:
    """The words of one kind, in file order.

    Example:
        >>> words("day")[:2]
        ('Monday', 'Tuesday')
    """
    return tuple(dict.fromkeys(WORDS[kind].split(",")))
