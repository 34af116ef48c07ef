"""How people say that they buy now, that it is urgent, or that they only look around."""

from __future__ import annotations

from typing import Final

from triage.signals.phrases import phrases

COMMITTED: Final = phrases(
    r"go ahead and (?:book|order|send|do|put|schedule)\b",
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
    r"some ?day\b|one of these days|eventually\b|(?:somewhere|maybe|further|way|bit|years?"
    r"|months?) down the road\b|down the line\b|in the (?:distant "
    r"|near |not too distant)"
    r" ?future\b|early (?:stages?|days)\b|thinking about it\b|at some (?:point|stage)\b|long "
    r"way off|for future "
    r"reference|sometime (?:next|in the future|down)|whenever(?=,? (?:maybe|really|no |in the"
    r"|next))|toying "
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
URGENT: Final = phrases(
    r"asap\b|urgent(?:ly)?\b|as soon as\b(?! (?:we|the|i|they|he|she) (?:decide|have|get|know))"
    r"|emergency\b|right (?:"
    r"now|away)\b|immediately\b|straight ?away\b|today\b|tonight\b|tomorrow\b|tmrw\b|this "
    r"(?:week|wk|weekend|morning|"
    r"afternoon|evening|arvo)\b|by (?:dark|close of play|the weekend)\b|(?<!the )first thing\b"
    r"|in a "
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
