"""How people say that they buy now, compare offers, or only look around."""

from __future__ import annotations

from typing import Final

from triage.signals.phrases import phrases

_OFFERS: Final = (
    r"(?:quotes?|quotations?|quoting|bids?|estimates?|prices?|proposals?|offers?|figures?)"
)
_SELLERS: Final = (
    r"(?:vendors?|firms?|compan(?:y|ies)|places?|suppliers?|caterers?|warehouses?|systems?"
    r"|agenc(?:y|ies)"
    r"|providers?|contractors?|outfits?|venues?|yards?|practices?|manufacturers?|options?|people"
    r"|brands?"
    r"|tools?|shops?|guys?|lot|mob|crowd|dealers?|schools?|labs?|crews?|stores?|salons?|clinics?"
    r"|houses"
    r"|wholesalers?|builders?|installers?|photographers?|movers|packages|products|platforms?"
    r"|colleagues)"
)
_FEW: Final = (
    r"(?:two|three|four|five|six|seven|a few|few|a couple(?: of)?|couple of|several|some|other"
    r"|another"
    r"|the other|2|3|4|5|6|one other|multiple|different|various|third|second|a handful of|all the)"
)
_SEEK: Final = (
    r"(?:get|gets|getting|got|have|had|has|need|needs|want|wants|collect(?:ing)?|seen|see|saw"
    r"|taste|asked"
    r"|asking|ask|speak(?:ing)? (?:with|to)|spoke (?:to|with)|spoken (?:to|with)|talk(?:ed"
    r"|ing)? (?:to|with)"
    r"|invit(?:ing|ed)|calling|call|called|looking at|look at|looked at|seeing|with|and|from"
    r"|only the|try"
    r"|trying|tried|visit(?:ing|ed)?|approach(?:ing|ed)|contact(?:ing|ed)|meeting|interviewing"
    r"|ringing|ring"
    r"|rung|obtain(?:ing)?|gather(?:ing)?|find|present|between|against|waiting (?:on|for)"
    r"|writ(?:ing|ten) to"
    r"|heard from|hear from|considering|sending (?:it|this) to|messag(?:ing|ed)|e-?mail(?:ing|ed))"
)

COMMITTED: Final = phrases(
    r"confirmed(?= *[.,!:;]| -|$| for)|yes!|(?:let's|please|can|we can|you can|yes,?) go ahead\b"
    r"|yes,? (?:please,? )?"
    r"(?:do it|book it|that's the one|let's do it)\b",
    r"(?:put|sign|pencil|book|count|squeeze|fit) (?:me|us|him|her|them) (?:down|up|in)\b(?! "
    r"(?:as|under))",
    r"(?:we|i)(?:'ll| will) (?:take|have) (?:it|them|one|two|both|that|the)\b|i'll go (?:with"
    r"|for)\b",
    r"(?:send|e-?mail|mail) (?:me |us |over )?(?:the|a|your) (?:contract|paperwork|invoice"
    r"|agreement|order "
    r"form|payment link|booking form)|where do i (?:sign|pay)|what do (?:i|you) need (?:from "
    r"(?:me|us) )?to "
    r"(?:begin|start|book|get started|open)",
    r"ready to (?:buy|book|sign|order|go(?! live)|start|move|proceed|commit|pull the trigger)\b",
    r"(?:do|can|should|could|shall) i (?:pay|put (?:a |down ?)|leave|give you|do that now)|do i "
    r"pay you now"
    r"|pay(?:ing)? (?:by card |cash )?(?:now|up front|today|the deposit|a deposit)|(?:put|leave"
    r"|pay) (?:down )?"
    r"(?:a|the) deposit|who do i make it out to|put it on (?:the|my) (?:visa|card|account|room)"
    r"|(?:here's|take) "
    r"my card|mail (?:a|you a) (?:money order|check|cheque)|hold (?:it|one|them|that) (?:for"
    r"|with|under)\b",
    r"(?:i|we)(?:'d|'m| am|'re| are| would| just| really| do)* (?:like|love|want|need|wanted"
    r"|looking|trying|"
    r"calling|ringing|hoping|wanting|here) to (?:also |please |just )?(?:book|order|buy one"
    r"|reserve|sign up"
    r"|place an order|open an? \w*(?: \w+)? ?account|hire you|get started|get (?:booked|signed) "
    r"(?:in|up)|"
    r"make (?:an?|the) (?:appointment|booking|reservation|order)|schedule (?!a (?:demo|call|tour"
    r"|visit|meeting|"
    r"demonstration|walk))|set up (?:service|an appointment)|get (?:in|an appointment)|go ahead"
    r"|renew|enrol"
    r"l?|register|switch|purchase|lock it in|get (?:him|her|it|them|this) in)\b(?! (?:a|an) "
    r"(?:\w+ )?(?:demo"
    r"|tour|viewing))",
    r"(?:can|could|may) (?:i|we) (?:please |just |still )?(?:book|order|reserve|sign up|place "
    r"an order|make (?:"
    r"an?|the) (?:appointment|booking|reservation)|schedule (?!a (?:demo|call|tour))|get (?:an "
    r"appointment|in "
    r"(?:to see|today|this|tomorrow|on)|(?:him|her|it|them) in\b))",
    r"(?:please|pls) (?:book|reserve|supply|order|deliver|send (?:2|two|three|\d+|another|the "
    r"same))|"
    r"same (?:again|as last time|once more)\b|place (?:the|an|our) order(?! before the end)"
    r"|need the paperwork "
    r"signed|want to (?:buy|purchase) (?:a|an|the|one|two|it)\b",
)
RESEARCHING: Final = phrases(
    r"(?:just|only|merely) (?:really |kind of |kinda |sort of |generally )*(?:looking(?: "
    r"around)?(?! round| for "
    r"(?:a|an|some)| to)|curious|browsing|exploring|researching|dreaming|starting to (?:look"
    r"|think)|a thought"
    r"|an idea|getting (?:an|some) ideas?|asking(?: for now| around)?(?= *[.,]|$)|enquiring|to "
    r"have an idea|for "
    r"to have an idea|gathering (?:info\w*|ideas|what's)|thinking (?:about|ahead|out loud)|for "
    r"(?:the|my) (?:"
    r"file|records|reference)|daydreaming|pricing (?:it|things) out|window shopping)",
    r"(?:just|only) wondering (?:what|how much|about|roughly)|out of curiosity|curious (?:about"
    r"|what|how much)",
    r"(?:absolutely |really |there's |there is )?no (?:real |great |particular |big |mad "
    r")?(?:rush|hurry|plans?"
    r" (?:to|yet)|real plans?|need to hurry|urgency|deadline)\b|nae (?:rush|hurry)|not urgent\b"
    r"|no timeline\b",
    r"not (?:in )?(?:a|any|no) (?:real |great |particular |big |mad )?(?:rush|hurry)|in no "
    r"(?:great |particular |"
    r"real )?(?:rush|hurry)|there is no need to hurry|(?:won't|wouldn't|don't|dont) (?:be in"
    r"|have) (?:a|any) hurry",
    r"(?:it's |its |that's |maybe |probably |possibly |perhaps |till |until |before |of |a |for "
    r"|sometime )?(?:a )?"
    r"(?:the )?(?:next|following|coming) (?:school |fiscal |financial )?year(?:'s)?\b|year "
    r"after next|after next\b"
    r"|not (?:before|until|till) (?:next|20\d\d|the next|we|i|the|after)|not this year|not yet "
    r"approved|planning "
    r"for fy ?\d+|(?:a )?(?:year|couple of years|few years|two years|years) (?:away|off|out"
    r"|from now|yet)\b|in a "
    r"(?:year|couple of years|few years)(?: or (?:two|so))?|next (?:spring|summer|autumn|fall"
    r"|winter) (?:at|or|"
    r"maybe|perhaps)",
    r"budget(?:ary|ing)? (?:purposes|pricing|figures?|estimate)(?: only)?|for budget(?:ing)? "
    r"purposes|ball ?park",
    r"(?:wouldn't|won't|would not|will not|not going to) be (?:till|until|before|for (?:a"
    r"|another))|nothing (?:will"
    r"|would|is going to|gets?)(?: be)? (?:happen\w*|done|bought|decided|ordered|signed|before)"
    r"|no orders? (?:will"
    r"|would|can) be placed|nobody's (?:deciding|buying)|no decision (?:will|has|until|before"
    r"|yet)|"
    r"can(?:'t|not) promise an order|not for ages|don't even (?:own|have)",
    r"(?:haven't|have not|not|hasn't|havent) (?:quite |really |even |yet )*(?:made up my mind"
    r"|made our minds up|"
    r"decided (?:if|whether|yet|anything)|fixed (?:a|the|on)|set a|picked a|chosen a|started"
    r"|got the (?:money|"
    r"funds)|agreed|sold|ready to (?:come|buy|commit|sign))|not (?:looking|ready) to (?:buy"
    r"|commit|sign)|not right "
    r"now|not (?:just )?yet\b(?= *[.,]|$)|he's not agreed|not sure (?:if|whether) (?:we|i|it's "
    r"worth)",
    r"some ?day\b|one of these days|eventually\b|down the (?:road|line)\b|in the (?:distant "
    r"|near |not too distant)"
    r" ?future\b|early (?:stages?|days)\b|thinking about it\b|at some (?:point|stage)\b|long "
    r"way off|for future "
    r"reference|sometime (?:next|in the future|down)|whenever\b(?! (?:you|is|it|suits|they|he"
    r"|she|i|we))|toying "
    r"with|tossing (?:it )?around|saving up|when (?:we|i) (?:have|get|can afford) the money"
    r"|kicking (?:it|the) ",
    r"for (?:a |my |our )?(?:school|college|uni|university|class|thesis|course) (?:project|paper"
    r"|assignment)|maybe "
    r"in the new year|just so he'll quit|if (?:we|i) (?:ever )?do it at all|if i can dream|just "
    r"want(?:ed)? (?:an|"
    r"some|a rough|a general|to (?:know|get)) (?:idea|info|feel|sense|what it)|don't break "
    r"ground|so we know if|"
    r"rough idea|to get (?:an idea|a feel|a sense) (?:of|for)|(?:get|have) an idea "
    r"of (?:the )?(?:cost|price)",
)
EVALUATING: Final = phrases(
    r"compar(?:e|es|ed|ing|ison)\b|shop(?:ping|ped)? around|(?:ring|call|phon)(?:ing)? "
    r"(?:a)?round\b|"
    r"looking (?:a)?round (?:a few|some|at|for)|weighing up|best (?:price|offer|figure|quote)\b"
    r"|match (?:the|that|"
    r"their) (?:price|quote)|how (?:do|does) (?:you|yours|that|it) compare|(?:cheaper|dearer"
    r"|better) than (?:you|"
    r"them|the other)",
    rf"{_SEEK} (?:up )?(?:about |out |round |in |for |at least |only )?{_FEW} (?:other |more "
    rf"|different |good )?"
    rf"(?:{_OFFERS}|{_SELLERS}|others?)\b",
    rf"{_FEW} (?:other )?(?:{_SELLERS} |{_OFFERS} )?(?:on (?:the|my|our|her) list|coming back "
    rf"to me|invited|are "
    rf"receiving|to taste|to ring|to call|up the ladder|giving me prices|round here want|before "
    rf"(?:i|we) (?:decide"
    rf"|choose))",
    r"(?:one|two|three|four|five|2|3|4|5) (?:other )?(?:quotes?|bids?|quotations?|estimates?"
    r"|offers|proposals|prices"
    r")\b|(?:a few|some|several|other|another|one|second|third|more) (?:quotes?|bids?|estimates"
    r"|prices)\b",
    r"(?:find|trying|try|one of|between|picked|chosen|inviting|approached|calling|asking) (?:up "
    r")?(?:to )?(?:two"
    r"|three|four|five|six|3|4|5|several|a few) (?:other |different |of you\b)?(?!of\b|hundred"
    r"|thousand|weeks|days"
    r"|months|hours|people)[a-z]{4,}|(?:two|three|four|few) of you\b",
    r"(?:the )?other (?:lot|mob|fellow|guy|crowd|outfit|company|firm|place|man|bloke|people"
    r"|laundries)s? "
    r"(?:from \w+ |in \w+ )?(?:is|are|said|say|says|wants?|quoted|told|offered|asked|asks?|had"
    r"|gave|came|charges?|look)",
    r"(?:two|2|three|3|a few|some|several) (?:other )?others\b|one other\b(?! (?:thing|question"
    r"|time))|(?:somebody|someone|anybody) else (?:is |has |"
    r"who |that )?(?:coming|quot\w+|pric\w+|looking|too|as well|gave|said)|hear (?:from|another)"
    r"|we(?:'ve| have)? been"
    r" to (?:the )?one|already (?:talked|spoke|spoken|quoted)|talked to (?:one|two)|i(?:'ve| "
    r"have) (?:also )?asked "
    r"\w+ (?:\w+ )?(?:too|as well)|quoted (?:me|us)\b",
    r"(?:prices?|quotes?) (?:off|from|of) (?:everyone|everybody|others|other|all|a few|different"
    r"|around)|"
    r"(?:pricing it|another place|a call in|(?:place|man|guy|company) coming) .{0,20}(?:too|as "
    r"well|also|to the)|i "
    r"have a man\b|second (?:one|place|company|opinion)(?: i'?ve)?|short-?list\w*|long ?list\b",
    r"(?:see|book|arrange|schedule|get|want|like|request|have|for|watch|do|give|offer|show) "
    r"(?:me |us )?(?:a |an |the "
    r"|your )?(?:\w+ )?demo(?:nstration)?\b|demo request|demonstration\b|(?:free )?trial\b(?! "
    r"(?:date|court))|pilot\b"
    r"|proof of concept|sample login|rf[pi]\b|request for (?:proposal|information)|tenders?\b"
    r"|bidders?\b"
    r"|invited (?:bidders|to (?:respond|participate|quote|tender))|expressions? of interest"
    r"|capability statement",
    r"evaluat(?:e|ing|ion)\b|(?:assessing|reviewing|exploring|considering|looking (?:into|at)) "
    r"(?:\w+ )?(?:options|"
    r"vendors|systems|providers|suppliers|tools|alternatives|software|replac\w+|switch\w+)"
    r"|switch(?:ing)? from\b|"
    r"(?:your|the) competit(?:or|ion)|alternatives? to\b|what else is out there|before (?:i|we) "
    r"(?:pick|choose|decide|"
    r"commit|talk to anybody)|award is\b",
    r"(?:we|i|they|he|she|board|committee|trustees|council) (?:intend|plan|hope|expect|aim|want"
    r"|would like|will|'ll)"
    r"(?:s)? (?:to )?(?:choose|decide|select|pick|make a (?:decision|choice)|recommend|vote)\b"
    r"|(?:did|have|has|"
    r"haven't|hasn't|didn't) (?:not )?(?:yet )?decided? (?:yet|between|which|on (?:a|the|which))"
    r"|did not decide|"
    r"(?:committee|board|council|trustees|vestry) (?:meets?|meeting|sits)|have it decided",
    r"(?:current|present|existing|my|our|the)(?: \w+)? (?:contract|agreement|lease|provider|one"
    r"|subscription|policy|"
    r"plan)(?: with [\w ]{2,24})?(?: is| will)? (?:up|ends?|finish(?:es)?|expires?|runs? out"
    r"|comes? up|ending|expiring)"
    r"|contract with (?:the|our) \w+(?: \w+)? (?:is up|ends|expires|runs out)|renewal with"
    r"|lease (?:\w+ ){0,4}ends",
    r"to see (?:it|what you) (?:working|can come up with)|see how it goes\b|would like to see"
    r"|see it (?:in (?:person|"
    r"action)|first|running)|i (?:wanna|want to) see (?:what|how|if)\b|(?:what|which) (?:\w+ "
    r")?would you "
    r"recommend|(?:guys|people|place) in \w+ said|(?:a|the) few round|as well, to be straight|"
    r"other people is up|wants a price off|one other guy|inviting (?:\w+ )?(?:suppliers|firms"
    r"|companies)|going to "
    r"market|reopen\w* (?:the )?(?:bid|tender)|we saw \w+ other|with (?:you|us) or (?:the"
    r"|another|someone)",
)
URGENT: Final = phrases(
    r"asap\b|urgent(?:ly)?\b|as soon as\b(?! (?:we|the|i|they|he|she) (?:decide|have|get|know))"
    r"|emergency\b|right (?:"
    r"now|away)\b|immediately\b|straight ?away\b|today\b|tonight\b|tomorrow\b|tmrw\b|this "
    r"(?:week|wk|weekend|morning|"
    r"afternoon|evening|arvo)\b|by (?:dark|close of play|the weekend)\b|first thing\b|in a "
    r"(?:bind|pinch|jam)|"
    r"desperate\w*|at your earliest|soonest\b|the sooner",
    r"how (?:soon|quick|quickly|fast|long would it take you)\b|are you open\b|(?:earliest|first"
    r"|next|soonest) "
    r"(?:available )?(?:appointment|opening|slot|availability|day|date|time)\b|i'?m leaving "
    r"now\b|deposit\b(?= )",
    r"(?:can|could|would|will) (?:you|u|someone|somebody|anyone|anybody|one of you|your (?:man"
    r"|guy)|he|they) "
    r"(?:please |maybe |possibly |just )*(?:come|be here|get (?:here|out|to)|fit (?:me|us|it|him"
    r"|her) in|do it (?:on|"
    r"this|by)|start|send (?:someone|somebody|a (?:guy|man|truck))|squeeze|stop by|pop|swing"
    r"|walk round|drop|deliver|"
    r"pick (?:it|me|us|them|him|her) up|take (?:me|us|him|her))\b|(?:when|what day|what time) "
    r"(?:can|could|would) "
    r"(?:you|someone|somebody|they|i) (?:come|start|do|be|get|bring|deliver|see)",
    r"(?:somebody|someone) (?:needs to |has to |could |to |can )?(?:come|get) (?:out|by|look|see"
    r"|here|over|and)|needs "
    r"(?:doing|fixing|sorting) (?:by|before|now|this)|is there (?:anything|any|a slot|anybody"
    r"|someone) (?:\w+ )?(?:"
    r"today|free|available|open|left|before)|(?:do|have) you (?:have|got) (?:any(?:thing|body"
    r"|one)?|someone|a "
    r"(?:slot|room|table|opening)) (?:\w+ )?(?:free|open|available|on|for|this|left|today"
    r"|tomorrow|before|at|monday|"
    r"tuesday|wednesday|thursday|friday|saturday|sunday)|are you (?:free|available)"
    r"|any(?:thing)? (?:slots|availability"
    r"|openings)",
    r"(?:packed up|conked out|gave out|flooded|flooding|leaking|burst|locked "
    r"out|stranded|won't (?:start|open|close|turn on))\b|no (?:heat|heating|hot water|water|power|"
    r"electric\w*|air|a/?c)\b|passed away|usual (?:people|one|guy|supplier) (?:canceled"
    r"|cancelled|let us down)",
)
