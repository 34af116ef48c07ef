"""How people say that they compare offers, want a demonstration or have yet to choose."""

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

EVALUATING: Final = phrases(
    r"(?:one|another) other (?:guy|man|place|firm|company|fellow|bloke|outfit|crowd)\b|another "
    r"(?:outfit|mob|crowd|firm|company"
    r"|supplier|place|quote)\b|(?:second|third) (?:mob|crowd|firm|outfit)|(?:a|one|another"
    r"|other) (?:man|fellow|fella|guy|lad|bloke"
    r"|lady|firm|company) (?:is )?(?:coming|calling round)\b|(?:three|two|3|2) (?:numbers"
    r"|options|prices)\b|between (?:you"
    r"|yourselves) and\b|i(?:'ve| have) asked (?:\w+ ){1,3}(?:as well|too)\b|if we like it\b",
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
