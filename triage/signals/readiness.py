"""How close to buying the contact is: `ready`, `evaluating`, `researching`, or nothing."""

from __future__ import annotations

import re
from typing import Final

from triage.signals.source import Finding, Material
from triage.signals.timeline import Horizon, When

_OTHERS: Final = (
    r"(?:quotes?|quotations?|bids?|estimates?|vendors?|firms?|compan(?:y|ies)|places?|suppliers?"
    r"|caterers?|warehouses?|systems?|agenc(?:y|ies)|providers?|contractors?|outfits?|venues?"
    r"|yards?"
    r"|practices|manufacturers|options?|people|brands?|tools?|shops?|others?|guys?|lot|mob"
    r"|dealers?)"
)
_FEW: Final = (
    r"(?:two|three|four|five|six|a few|few|a couple(?: of)?|couple of|several|some|other|another"
    r"|the other|2|3|4|5|one other|multiple|different|various|third|second)"
)
_COMMITTED: Final = re.compile(
    r"^\s*confirmed\b|\b(?:let's|please) go ahead|\bput me down for|\bsend (?:me |us |over "
    r")?(?:the|a) "
    r"(?:contract|paperwork|invoice|agreement|order form)|\bwhere do i (?:sign|pay)|\bready to "
    r"(?:buy|book|sign|"
    r"order|go|start|move|proceed)|\bdo i pay you now|\bwho do i make it out to|\bi(?:'d| would) "
    r"like to (?:book|"
    r"order|buy|sign up|place an order)|\b(?:want|wants|need|like) to (?:book|order|sign|buy one"
    r"|place an order)"
    r"|\bplease (?:book|reserve)|\bbook (?:me|us) in|\bneed the paperwork signed|\bmail a money "
    r"order"
)
_RESEARCHING: Final = re.compile(
    r"\b(?:just|only) (?:really |kind of |kinda |sort of |generally )*(?:looking(?: around)?(?! "
    r"round| for a (?:quote|"
    r"price))|curious|wondering|browsing|exploring|researching|dreaming|starting to look|a thought|"
    r"getting (?:an|some) ideas?|to have an idea|for to have an idea|gathering (?:info|ideas))"
    r"|\bno (?:rush|hurry|plans? (?:to|yet)|real plans?|need to hurry)\b|\bno particular (?:rush"
    r"|hurry)"
    r"|\b(?:not|n't) in (?:a|any|no) (?:real |great |particular )?(?:rush|hurry)|\bthere is no "
    r"need to hurry"
    r"|\b(?:it's |its |that's |maybe |probably |till |until |before |of |a |for )?(?:a )?next "
    r"year(?:'s)?\b"
    r"|\b(?:the )?year after next|\bnot (?:before|until|till) (?:next|20\d\d|the next)|\bnot "
    r"this year"
    r"|\bafter next\b|\bnot yet approved|\bplanning for fy ?\d+|\bbudget(?:ary)? (?:purposes"
    r"|pricing|figures?) only"
    r"|\bfor budget purposes|\b(?:wouldn't|won't|would not|will not) be (?:till|until|before)"
    r"|\bnothing will happen|\bno orders? (?:will|would|can) be placed|\bfor to have an idea"
    r"|\bcan'?t promise an order"
    r"|\bcannot promise an order|\bnot for ages|\bdon't even (?:own|have)|\bnot made up my mind"
    r"|\bsome ?day\b"
    r"|\beventually\b|\bdown the (?:road|line)\b|\bin the (?:distant )?future|\bearly (?:stages"
    r"|days)\b"
    r"|\bthinking about it\b|\bfor (?:a |my |our )?(?:school|college|uni|class) (?:project|paper"
    r"|assignment)"
    r"|\bmaybe in the new year|\bjust so he'll quit|\bif (?:we|i) do it at all|\bif i can dream"
    r"|\bwhenever\b(?! you)"
    r"|\bnot (?:looking|ready) to (?:buy|commit|sign)|\bjust want(?:ed)? (?:an|some) (?:idea"
    r"|info)|\bfor future reference"
    r"|\bhaven't decided (?:if|whether)|\bautumn next year|\bnot right now"
)
_EVALUATING: Final = re.compile(
    r"\bcompar(?:e|es|ing|ison)\b"
    rf"|\b(?:get|gets|getting|got|have|had|has|need|needs|want|wants|collecting|seen|saw|taste"
    rf"|asked|asking|ask|"
    rf"speak with|spoke to|talked to|talking to|inviting|invited|calling|looking at|seeing|with"
    rf"|and|from|only the)"
    rf" (?:up )?(?:about |out |round |in )?{_FEW} (?:other |more |different )?{_OTHERS}\b"
    rf"|\b{_FEW} (?:other )?(?:{_OTHERS} )?(?:on (?:the|my) list|coming back to me|invited|are "
    rf"receiving|to taste|"
    r"up the ladder|giving me prices|round here want)"
    rf"|\b(?:find|trying|try|one of|between|picked|getting|chosen|inviting|approached) (?:up "
    rf")?(?:to )?(?:two|three|four|five|six|3|4|5|several|a few)"
    r" (?:other |different )?(?!of\b|hundred|thousand|weeks|days|months|hours)[a-z]{4,}"
    r"|\b(?:the )?other (?:lot|mob|fellow|guy|crowd|laundries) (?:said|say|wants?|quoted|told"
    r"|offered|asked)|\bwe been to the one"
    r"|\balready (?:have |got |had )?(?:one|two|three|1|2|3) quot|\b(?:two|three|2|3) other "
    r"(?!of)[a-z]{4,}"
    r"|\bother people is up|\bcontract with (?:the|our) \w+(?: \w+)? (?:is up|ends|expires|runs "
    r"out)"
    r"|\bone quote\b|\bhad (?:one|a) quote|\b(?:two|three|3|2) bids\b|\bone other guy\b"
    r"|\bshort-?list"
    r"|\b(?:see|book|arrange|schedule|get|want|like|request|have|for|watch|do) (?:a |an |the "
    r"|your )?(?:\w+ )?demo\b"
    r"|\bdemo request|\bdemonstration\b|\b(?:free )?trial of\b|\bpilot\b|\brf[piq]\b|\brequest "
    r"for (?:proposal|"
    r"quotation|information)|\btenders?\b|\binvited (?:bidders|to (?:respond|participate))"
    r"|\bbidders?\b"
    r"|\b(?:two|2|3|three|one) others?\b|\bother (?:outfit|mob|crowd|lot|company|firm)\b(?! "
    r"(?:from|he) )|\bother outfit"
    r"|\bsecond (?:one|place|company) i'?ve (?:called|rung|tried|spoken)|\b(?:evaluating"
    r"|evaluate|weighing up|"
    r"assessing|reviewing) (?:\w+ )?(?:options|vendors|systems|providers|suppliers|tools|a few)"
    r"|\bas well, to be straight"
    r"|\baward is|\blooking round\b|\bbefore i (?:pick|choose|decide)|\bhear another number"
    r"|\bpricing it (?:as well|too)"
    r"|\b(?:place|somebody|someone) .{0,30}pricing it|\bwriting to (?:two|three|four|five|six"
    r"|seven|eight|\d+) \w+"
    r"|\bto see (?:it|what you) (?:working|can come up with)|\bbefore we talk to anybody else"
    r"|\balready talked to"
    r"|\btalked to one\b|\bwe saw \w+ other|\bthe (?:current|present) (?:one|contract|provider) "
    r"(?:ends|finishes|"
    r"expires)|\brenewal with|\bswitch(?:ing)? from\b|\bcall in to the|\bwants a price off"
    r"|\b(?:two|2|three|3) others"
    r"|\ba few quotes|\b(?:guys|people|place) in \w+ said|\b(?:a|the) few round|\bsee how it "
    r"goes\b|\bwould like to see"
    r"|\band see\b(?= *$)|\b(?:what|which) (?:\w+ )?would you recommend"
)
_READY: Final = re.compile(
    r"\basap\b|\burgent(?:ly)?\b|\bas soon as (?:possible|you can)|\bemergency\b|\bright (?:now"
    r"|away)\b|\bimmediately\b"
    r"|\btoday\b|\btonight\b|\btomorrow\b|\btmrw\b|\bthis (?:week|wk|weekend|morning|afternoon"
    r"|evening|arvo)\b"
    r"|\bstraight away\b|\bhow (?:soon|quick|quickly|fast|long would it take you)\b|\bare you "
    r"open till"
    r"|\b(?:earliest|first|next) (?:available )?(?:appointment|opening|slot)\b|\bi'?m leaving "
    r"now\b|\bby dark\b"
    r"|\bcan (?:you|someone|somebody) come\b|\bdeposit\b(?= )|\bby close of play"
)
_TURNED: Final = re.compile(r",? (?:but|though|however)\b")
_NEGATED: Final = re.compile(r"(?:\bnot|n't|\bno|\bisn't|\bnothing|\bwithout)\s+(?:\w+ )?$")


def find_readiness(material: Material, when: When | None) -> Finding | None:
    """The readiness that was said, else the one that the stated time implies.

    A named day is a wish to buy by then; a month, a quarter or a season is a plan; what lies about
    a year ahead is research. Somebody who compares offers but needs it within days is ready.
    """
    if committed := _said(material, _COMMITTED, "ready", 0.85):
        return committed
    if researching := _said(material, _RESEARCHING, "researching", 0.8):
        return researching
    if when and when.soon:
        return _implied(when)
    return (
        _said(material, _EVALUATING, "evaluating", 0.8)
        or _said(material, _READY, "ready", 0.75)
        or _implied(when)
    )


def _said(
    material: Material, pattern: re.Pattern[str], value: str, confidence: float
) -> Finding | None:
    for source in material.own:
        for match in pattern.finditer(source.lower):
            before = source.lower[max(0, match.start() - 16) : match.start()]
            turned = value == "researching" and _TURNED.match(source.lower, match.end())
            if not _NEGATED.search(before) and not turned:
                return Finding(source, *match.span(), confidence, value, value)
    return None


def _implied(when: When | None) -> Finding | None:
    if when is None:
        return None
    value = {
        Horizon.DAY: "ready",
        Horizon.PERIOD: "evaluating",
        Horizon.FAR: "researching",
    }[when.horizon]
    finding = when.finding
    return Finding(finding.source, finding.start, finding.end, 0.65, value, value)
