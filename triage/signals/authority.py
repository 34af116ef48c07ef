"""How people say that they decide, pay or own."""

from __future__ import annotations

from typing import Final

from triage.signals.phrases import phrases
from triage.signals.roles import PREMISES

_TOP: Final = (
    r"(?:co-?owner|owners?|(?:co-?)?founders?|proprietor|(?:managing|executive|\w+) director"
    r"|director|ceo|cfo|coo|cto|cmo|cio|chief \w+ officer|president|vice president|vp|svp|evp"
    r"|head of|managing partner|partner|principal|landlord|landlady|budget[- ]holder"
    r"|general manager|gm|line producer|super|boss|treasurer|bursar|franchisee|sole trader"
    r"|self[- ]employed|freelancer?|homeowners?|executor|contractor|decision[- ]maker)"
)
DECIDES: Final = phrases(
    r"(?:i have|i've got|i hold|i(?:'m| am) the one with|i carry|i keep) the (?:cheque ?book"
    r"|check ?book|purse(?: strings)?"
    r"|money|wallet|budget|credit card)\b|(?:send|address|make out) the (?:bill|invoice) to "
    r"(?:me|myself)\b",
    r"(?:no ?body|no one|nobody) (?:else )?(?:left )?to ask\b|i've decided\b|i do the (?:buying"
    r"|ordering|purchasing)\b"
    r"|i buy for (?:the|our|all)\b|i look after (?:all )?(?:the )?(?:spending|buying|budgets?)\b"
    r"|(?:the )?(?:owner|boss|board"
    r"|committee|director) (?:has|have) (?:already )?(?:agreed|approved|okayed|said yes)\b",
    r"(?:it'?s|its|there'?s) (?:just |only )?(?:me and my (?:wife|husband|sister|brother|partner"
    r"|son|daughter|mum|dad)|(?:just )?"
    r"the two of us)\b|(?:i am|i'm|we're|we are) (?:both |all )?(?:the )?executors?\b",
    # signing and deciding
    r"i (?:will |can |'?ll |do |alone |also |both |now )*(?:sign|approved?|decide|authori[sz]e)\b"
    r"(?! (?:in to|up for|language|for (?:it|the) (?:parcel|delivery)))",
    r"i'll (?:sign|approve|decide|authori[sz]e)\b",
    r"(?:and|i) sign (?:this|it|that|things|everything) off",
    r"we(?: wi|')?ll decide\b|we decide\b|(?:we've|we have|i've|i have) (?:both )?signed off",
    r"(?:my (?:wife|husband|partner)|\w+) and i (?:just |have |both |'ve )*(?:agreed|decided)",
    r"(?:i|we) (?:have|get|got) (?:the )?(?:final say|last word|final (?:call|word)|say-so|"
    r"sign(?:ing|-?off) ?(?:authority)?|authority to)",
    r"i (?:make|call) (?:the|all the|those|all of the) (?:\w+ )?(?:decisions?|calls?|shots)",
    r"(?:the )?(?:decision|call|choice)(?: is|'s) (?:mine|ours|up to me)|(?:it's|is|that's) up "
    r"to me\b",
    r"(?:it )?(?:comes down|falls|all down|is down|it's down) to me\b|buck stops (?:with|here)",
    r"(?:he|she|they|all|\w+) leaves? (?:it|this|that|everything|all of it|these things) (?:up "
    r")?to me"
    r"|leave (?:this|it|that) to me\b|left (?:it|this) (?:up )?to me\b|whatever i say\b",
    r"gave me the (?:ok(?:ay)?|go-?ahead|green light)|i(?:'ve| have) (?:got )?(?:the "
    r")?(?:ok(?:ay)?"
    r"|go-?ahead|green light|approval) from",
    r"i(?:'m| am) (?:the )?(?:one (?:who|that) (?:pays|decides|signs|has to do it|approves"
    r"|chooses)"
    r"|authori[sz]ed to|decision[- ]maker|person who (?:decides|signs|approves)|in charge of "
    r"(?:the "
    r")?(?:budget|purchasing|buying)|responsible for the budget)",
    r"i(?:'m| am) choosing|my signature\b|i've already (?:decided|made up my mind)|we've made "
    r"up our mind",
    r"our (?:own )?(?:board|committee|council|trustees|vestry) (?:has |have |already "
    r")*(?:approved|"
    r"agreed|voted|signed)|no(?:body| one)(?:'s)? (?:else )?(?:i |we )?(?:gotta|has to|have to"
    r"|need to"
    r"|to) (?:ask|decide|sign|convince|check|say)",
    r"no (?:committee|board)\b|(?:don't|do not|needn't|dont) (?:have to|need to|need|take it "
    r"to)? ?"
    r"(?:ask|check with|anyone's|anybody's|committee)\b",
    # paying
    r"(?:it's|its|is|from|out of|with) my (?:own )?(?:budget|money|decision|call|pocket|savings"
    r"|pension"
    r"|dime|checkbook|chequebook)\b|my (?:own )?(?:budget|checkbook|cheque ?book|money)\b",
    r"(?:the )?money is mine|pay(?:ing)? (?:for )?(?:it|this|everything)? ?(?:all )?(?:by "
    r")?my ?self",
    r"i(?:'m| am|m) (?:the one )?paying\b|i pay (?:for|by|from|out of|myself|the|cash|it|and)\b|"
    r"i(?:'ll| will) (?:be )?pay(?:ing)? for (?:it|this|everything)",
    r"i (?:do|handle|look after|control|manage|run) the (?:money|finances|budget|purse|buying"
    r"|purchasing"
    r"|spending)\b",
    r"i hold the (?:budget|purse)|i(?:'m| am)? (?:write|writing|sign|signing|cut|cutting) the "
    r"(?:checks?|cheques?)",
    r"(?:bear|cover|pay|paying) (?:\w+ )?(?:the cost(?:s)?|it|this)? ?(?:of it )?(?:my"
    r"|our)sel(?:f|ves)",
    r"is my money|it's just (?:me|us)\b(?! (?:and my boss|calling|asking|that|who|here|today))"
    r"|it's (?:only|all) me\b|(?:just|only) me,? (?:no|so)\b|so,? yeah,? me\b|one[- ]man (?:band"
    r"|show|"
    r"business|operation|shop)",
    r"(?:my )?(?:wife|husband|partner|sister|brother|son|daughter|dad|father|mother) and (?:i|me"
    r"|myself) "
    r"(?:are the|own|bought|run|have a)|me and my (?:wife|husband|partner|sister|brother|son"
    r"|dad),? "
    r"(?:we )?(?:are |'re )?(?:putting|own|run|buying|have a)",
)
OWNS: Final = phrases(
    r"it'?s my (?:\w+ )?(?:garden|yard|porch|fence|tree|roof|kitchen|lawn|field|land|barn|garage"
    r"|driveway|wall|well)\b"
    r"|(?:it's|its|and it's) (?:mine|ours)(?: now)?\b|i(?:'ve| have)? (?:just )?bought the \w+ "
    r"(?:at|in|on|next door)\b",
    rf"(?:i'?m|i am|as) (?:just |also |actually )?(?:the |an? |your )?(?:(?!my |our |his |not "
    rf"|her )\w+ )"
    rf"{{0,2}}?{_TOP}(?!\w| (?:asked|wants|will|would))",
    r"we(?:'re| are) the (?:home)?owners\b|(?:are|is) the owners? of (?:a|the)\b",
    r"(?:i|we)(?: now| both| also| do| just| already)? (?:co-?)?own (?:a |an |it\b|the |our "
    r"|two |three |"
    r"this |that |some |several |my |\d)|(?:and i|we) own it\b|which i (?:now )?own",
    rf"(?:i|we)(?:'ve got| have|'ve| got|'ve also got| also have|ve got) (?:a |an |my own |our "
    rf"own |the |two "
    rf"|three |four |five |six |several |\d+ )(?:\w+ )?{PREMISES}\b",
    rf"(?:i|we) (?:just )?(?:run|manage|operate|started|founded|set up|opened|bought|purchased) "
    rf"(?:a |an |the"
    rf" |my |our |this |two |three |four )(?:[\w-]+ ){{0,2}}?{PREMISES}\b",
    r"i run (?:a |my |our |product|marketing|operations|sales|it\b)|we run (?:a |our )",
    rf"my (?:own |other |second |new |little |small |whole |family )?(?:\w+ )?{PREMISES}\b",
    r"(?:it's|its|it is|this is|it's all|it was) my (?:own )?(?:house|home|apartment|flat|condo"
    r"|building|"
    r"property|truck|van|boat|place|party|wedding|name on|land)\b",
    r"my (?:other )?(?:rental|rentals|boat|ship|fleet|trucks|tenants?|employees|customers"
    r"|clients)\b",
    r"my (?:own )?(?:company|business|place is called)\b|my own place\b|(?:practice|business"
    r"|shop|store|salon"
    r"|clinic|restaurant) owner\b|(?:in|on) my (?:own )?name\b|left me (?:the|her|his) \w+",
    r"(?:i|we)(?:'m| am|'re| are|m) (?:(?:opening|starting|launching|setting up|buying|taking "
    r"over) (?:a|an|my"
    r"|our|the|another) |getting married\b)|(?:i|we)(?:'ve| have| just|'ve just)? (?:bought"
    r"|inherited|took over|taken over) (?:(?:a|an"
    r"|the|my|our|another|this|it) (?:\w+ )?(?:house|place|shop|building|flat|second|one"
    r"|business|property|home)\b|it\b)",
    r"(?:we|i)(?:'re| are| am|'m) (?:a )?(?:family[- ](?:run|owned|business)|sole trader|self[- "
    r"]employed|one"
    r"[- ]man|mom[- ]and[- ]pop|husband[- ]and[- ]wife|the ones buying|the whole company|the "
    r"boss)",
    r"i(?:'ve| have)? paid for it\b|i'm the whole company",
)
