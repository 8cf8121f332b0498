"""Which words are somebody's name and a plain word as well? A script may say them.

Among a million people somebody is called Will, Paris or Sommer. Such a word alone names nobody;
with a title, after a greeting, or beside the other word of the same person's name, it does.
"""

from zoneinfo import available_timezones

# One of them counts in the middle of a sentence only: there a plain word has no capital.
NAMES_TOO = frozenset(
    """will mark rose grace hope joy faith art bill rich sunny dawn frank grant hunter jasmine pat
    sue rob jack drew chase chance miles page price young king queen long short white black
    brown green gray grey stone wood woods field fields hill lake rivers bush bell ball cook
    baker smith carpenter miller fisher shepherd taylor mason carter turner walker potter love
    best good day knight bishop pope church house hall banks ray dale glen cliff major victor
    patience constance ivy lily violet olive daisy heather amber ruby pearl crystal angel
    destiny charity honor justice mercy sage robin wolf fox bird petit grand blanc noir roux
    rouge leblanc bon gentil leroy legrand blanco rojo moreno bueno rico flores santos cruz
    reyes paz rosa bianco rossi bruno bravo bello muller schneider weber fischer schulz huber
    becker vetter schreiber jager maurer metzger schafer schmied falke""".split()
)
# Words that every text is full of; in small letters they are no part of anybody's name.
COMMON = frozenset(
    """able about after again all always and another any are ask away back bear been before being
    below beyond big both bring build but buy call can care change check choose clear close come
    could dear deep did does done down each early easy end enjoy enough even ever every far fast
    few fill find fine first fit for free fresh friend from full fun gain get gift give glad
    going great grow hand happy hard has have head hear help her here high him his home how into
    its join just keep kind know land large last late lay lead learn leave less let life light
    like line link list little live look lot low made make many may mean meet might mind minor
    more most move much must near need never new next nice nor not noble nothing now off often
    old once one only open order other our out over own part pay people place plain play please
    power proud pure put quick quiet read ready real rest right rise root round run safe save
    say see sell send set sharp she ship show side sign silver simple since small smart soft
    some soon sound speed start stay step still stop store strong such sure sweet take talk tell
    than thank that the their them then there these they thing think this those time today
    together too top true trust try turn two under until use very visit wait walk want warm was
    watch water way wear welcome well were what when where which while who why wide wild wise
    wish with word work world would year yes you your alle allen als also auch auf aus bald bei
    beste bis bitte brauchen danke dann das dein dem den denn der des die dies diese dieser doch
    dort durch ehrlich ein eine einer eines endlich er erst es fertig frei freuen froh ganz gern
    gerne gut gute haben heute hier ich ihr ihre ihren immer ist ja jede jeder jeden jetzt kann
    kein keine kommen lang lange lernen macht mehr mein mit morgen nach neu neue neuen nicht
    noch nun nur oder offen ohne schnell schon sehr sein seit sich sie sind so stark still treu
    und uns unser unsere unter viel viele vom von vor wann war warum was weil wenn wer wie wir
    wird wo wohl zu zum zur zusammen aussi autre avec avoir bien bonne car chaque comme dans
    depuis des deux donc elle encore entre est fait faites grande ici jamais jour leur mais
    meilleur merci moins mon nos notre nous nouveau nouvelle oui par parce pas pendant petite
    plus pour pourquoi pouvez prenez puis quand que qui sans ses seul son sous sur toujours tous
    tout toute trop une venez voici voir vos votre vous ahora algo antes aqui asi bajo bien
    buena cada casi claro como con cuando del desde donde ella ellos entre era ese eso esta este
    esto gracias hasta hay hoy la las los mas mejor menos mucho muy nada ni ninguno nos nuestra
    nuestro nueva nuevo nunca otra otro para pero poco por porque pronto pues que quien sea
    segun ser si siempre sin sobre solo son su sus tal tan tanto te tiene toda todo tres un una
    usted ustedes venga ven ya anche ancora bene buona buono che chi cosa cui dal dalla dopo
    dove ecco fino gli grazie meglio molto nella noi nostro nuovo oggi ogni per piu poi prima
    quando quello questa questo qui sempre senza solo sono sotto sua subito suo tra tutti tutto
    una uno vieni voi vostro altijd als beter bij daar dan dank dat deze dit door een elke geen
    goed haar het hier hoe ik kan komt maar meer met mijn naar niet nieuw nieuwe nog nu om ons
    onze ook over samen uit uw van veel voor waar wat wel wij zijn zonder agora aqui cada com
    como ela ele mais melhor muito nao nosso nova novo obrigado onde para por quando quem sem
    sempre seu sua tem toda todo tudo uma voce bir bu biz siz sizin her daha yeni ve ile icin
    cok en ne bizim simdi ale bez bo byc dla do ich jak jest juz lub ma moze na nasz nowy od
    oraz pan pani po przez sie sa tak teraz to twoj wiec wszystko z za ze""".split()
)
# They have a capital in the middle of a sentence too, or in German always: alone they say nothing.
CAPITALISED = frozenset(
    """monday tuesday wednesday thursday friday saturday sunday january february march april may
    june july august september october november december spring summer autumn fall winter
    christmas easter noel pascal valentine halloween ramadan montag dienstag mittwoch donnerstag
    freitag samstag sonntag januar februar marz april mai juni juli august oktober dezember
    fruhling sommer herbst weihnachten ostern pfingsten lunes martes sabado domingo enero abril
    mayo junio julio agosto octubre navidad pascua primavera verano otono invierno lundi mardi
    jeudi samedi dimanche janvier avril juin aout automne hiver ete sol mar luz ocak mart nisan
    mayis haziran eylul ekim kasim aralik english french german spanish italian dutch polish
    turkish chinese indian irish scott british american european deutsch frances espanol africa
    america asia europe england ireland scotland wales france germany spain italy poland
    portugal holland switzerland austria belgium sweden norway denmark finland iceland greece
    turkey india china japan korea brazil mexico canada australia israel jordan chad cuba
    georgia guinea virginia carolina dakota montana nevada arizona texas washington jersey
    hampshire london paris berlin roma rome milan milano madrid barcelona valencia sevilla lyon
    nice lille nantes orleans bremen essen kassel worms trier bonn koln munchen wien bern basel
    zurich genf luzern lourdes florence siena verona napoli venezia venice sydney adelaide
    melbourne victoria alexandria charlotte austin dallas houston lincoln madison jackson
    phoenix orlando savannah chelsea camden brooklyn bristol chester york lancaster warwick
    oxford cambridge kent sussex devon ford tesla benz bosch siemens disney hilton marriott lidl
    apple amazon google visa swatch sony gold silver platinum premium star plus basic classic
    club family team business card plan sale price offer deal service store shop street park
    lane court manor park garden bridge gate forest north south east west center plaza angebot
    anfang antwort arbeit arzt auge auto bad bahn ball band bank bauer baum berg beruf besuch
    bett bild blatt blick blume boden bogen brief brot bruder brunnen buch burg busch dank dorf
    ecke ehre eisen engel erbe ernst ernte esel essen fahrt familie farbe feier feld fels
    fenster fest feuer film fisch fleisch flug folge form forster frage frau freiheit freude
    freund freunde frieden fuchs fuhrer gabel garten gast gebiet geburtstag gedanke geist geld
    geschenk gesicht glas glaube glocke gluck gold gott graf gras griff grund gruss hafen hahn
    hals hammer hand haus haut heim held herbst herr herz herzog hilfe himmel hirsch hof holz
    horn hund hut jahr jahre junge kaiser kaffee kanzler karte kasten katze keller kern kind
    kinder kirche klang klasse knecht koch konig kopf korb korn kraft kranz kreis kreuz krieg
    kuchen kugel kunde kunden kunst land lauf leben lehrer leute licht liebe lied linde linie
    loffel lohn lowe luft lust macht maler mann markt mauer maus mehl meister mensch menschen
    monat mond moos morgen mut mutter nacht nachbar nagel name natur nebel ofen ohr ordnung ort
    papier pfeffer pfeil pferd platz post preis punkt rabe rad rat raum recht regen reich reis
    reise richter ring ritter rock rose ruf ruhe sache sack salz sand sanger schatz schein
    schiff schild schloss schlussel schnee schritt schuh schule schutz schwan see segen seite
    sieg sinn sonne spiel spitze sprung staat stadt stamm start stein stelle stern stimme stock
    stoff storch strauss strom stuck stunde sturm tag tage tal tanz tasche team teil teller tier
    tisch tochter tod ton tor traum tritt turm uhr unger vater vertrag vogel volk wagen wahl
    wald wand wasser weg wein weise welle welt werk wert wetter wiese wind winkel winter wirt
    woche wolf wolke wort wunder wunsch wurst zahl zahn zeichen zeit zeiten ziel zimmer zug
    zukunft zweig""".split()
)
PLACES = frozenset(
    part.casefold()
    for zone in available_timezones()
    for part in zone.rpartition("/")[2].replace("-", "_").split("_")
    if len(part) > 2
)
NEVER_ALONE = CAPITALISED | PLACES
