"""Whether the contact decides: `yes`, `no`, or nothing where neither was said."""

from __future__ import annotations

import re
from typing import Final

from triage.signals.source import Finding, Material, Source

_SUPERIOR: Final = (
    r"(?:boss|manager|director|supervisor|chairman|chair|chief|ceo|cfo|coo|cto|fd|md|vp|head"
    r"|principal|partners?|owner|board|committee|trustees|council|super|superior|team lead|lead"
    r"|landlord|landlady|employer|client|headmaster|dean|president|professor|management)"
)
_JUNIOR: Final = (
    r"(?:intern|assistant|secretary|receptionist|student|bookkeeper|clerk|pa|ea|apprentice"
    r"|trainee|temp|volunteer|office junior|coordinator|nanny|caretaker)"
)
_TOP: Final = (
    r"(?:co-?owner|owners?|(?:co-?)?founders?|proprietor|(?:managing|executive|\w+) director"
    r"|director|ceo|cfo|coo|cto|cmo|cio|chief \w+ officer|president|vice president|vp|svp|evp"
    r"|head of|managing partner|partner|principal|landlord|budget holder|general manager"
    r"|line producer|super)"
)

_STRONG_YES: Final = re.compile(
    r"\bi (?:will |can |'?ll |do |alone |also )*(?:sign|approve|decide|authori[sz]e)\b"
    r"(?! (?:in|up for|language))|\bi'll (?:sign|approve|decide|authori[sz]e)\b"
    r"|\b(?:and|i) sign (?:this|it|that|things|everything) off|\bi sign off|\bi hold the budget"
    r"|\b(?:it's|its|is|from) my (?:own )?(?:budget|money|decision|call)\b|\bmy (?:own )?budget\b"
    r"|\b(?:the )?money is mine|\bpay(?:ing)? for (?:it|this) myself|\bi'?m paying\b"
    r"|\bi(?:'m| am) the one (?:who|that) (?:pays|decides|signs|has to do it|approves)"
    r"|\bi pay (?:from|out of) my|\bleave (?:this|it|that) to me|\bwhatever i say\b"
    r"|\bwe(?: wi|')?ll decide\b|\bwe decide\b|\b(?:we've|we have|i've|i have) (?:both )?signed off"
    r"|\bgave me the (?:ok(?:ay)?|go-?ahead)|\bi have (?:the )?(?:final say|signing authority)"
    r"|\bi make the (?:decisions?|call)|\bdecision is mine|\bi(?:'m| am) the decision[- ]maker"
    r"|\b(?:my wife|my husband|my partner|\w+) and i (?:just |have |both )*(?:agreed|decided)"
    r"|\b(?:bear|cover|pay) the cost(?:s)? (?:of it )?(?:my|our)sel(?:f|ves)|\bpaying (?:\w+ "
    r")?(?:it |this )?(?:my|our)sel"
    r"|\bin my (?:own )?name\b|\bis my money|\bmy (?:wife|husband|partner|sister|brother|son"
    r"|daughter) and (?:i|me) "
    r"(?:are the|own|bought|run)|\bme and my (?:wife|husband|partner|sister|brother),? (?:we "
    r")?(?:are |'re )?(?:putting|own|run|buying)"
    r"|\bi approved?\b|\bi get the final (?:say|call)|\bi(?:'m| am) (?:the )?authori[sz]ed to"
    r"|\bit's (?:just|only) me (?:and my \w+|running|deciding)|\b(?:just|only) me,? (?:no|so)\b"
    r"|\bso,? yeah,? me\b|\bno committee\b|\bnobody(?:'s)? (?:else )?(?:gotta|has to)"
)
_NO: Final = re.compile(
    r"\b(?:on|in) behalf of\b|\b(?:writing|calling|ringing|asking|phoning|emailing|enquiring) for"
    rf" (?:our|my|the|a|dr|mr|mrs|ms|his|her)\b(?! (?:own|self|house|home|wife and))"
    rf"|\b(?:our|my|the) (?:\w+[. ]+)?{_SUPERIOR}(?:,? [\w. ]{{2,20}},?)? "
    rf"(?:has |have |just |is |would |will |also )*(?:ask(?:ed|s|ing)?|wants?|told|tells"
    rf"|need(?:s|ed)?"
    rf"|said|says|would like|likes?|wondered|request(?:ed|s)|decides?|sign(?:s|ed)?|approves?"
    rf"|looking"
    rf"|doing a list|will call|sent me)\b(?! (?:off|me the ok))"
    rf"|\b(?:our|my|the) {_SUPERIOR} (?:who|that) (?:signs|decides|approves)"
    r"|\bit's the \w+ who signs|\bwants me to (?:find|get|ask|call|look|check|ring)"
    r"|\b(?:asked|told) me to (?:find|get|ask|call|look|check|ring|reach|contact|email|gather|see)"
    r"|\b(?:super|boss|chief|manager) said (?:to )?(?:find|get|call)"
    r"|\b(?:run|pass|put) (?:it|this|that) (?:past|by|to)\b"
    rf"|\b(?:ask|check with|talk to|clear (?:it|this) with) (?:my|our|the) {_SUPERIOR}\b"
    rf"|\bi(?:'?m| am) (?:just |only |just just )*(?:the |a |an |his |her |their )+(?:the )?"
    rf"(?:\w+ ){{0,2}}?{_JUNIOR}\b"
    r"|\bi(?:'m| am)? (?:don'?t|do not|can'?t|cannot|am not able to) (?:get to |be the one to )*"
    r"(?:decide|sign|approve|authori[sz]e)|\bcan'?t be the one (?:that|who|to) say"
    r"|\bi(?:'m| am) not the (?:one|person|owner|boss|chief|decision|manager)"
    r"|\bnot (?:mine|me) (?:to decide|who decides|that decides)|\bwill sign not me"
    r"|\b(?:final|the) (?:choice|decision|say|word) (?:rests|lies|is|belongs)\b"
    r"|\bi(?:'m| am) (?:just|only) the (?!one (?:who|that) (?:pays|decides|signs))(?:\w+)"
    r"|\bi (?:can'?t|cannot|don'?t|couldn'?t) (?:agree|commit|say yes)|\bhe(?:'s| is) the one "
    r"(?:that|who)"
    r"|\bshe(?:'s| is) the one (?:that|who)|\b(?!(?:i|we|who|to|and|can|will|you|must)\b)(?:\w+) "
    r"(?:decides|"
    r"(?:will|'ll) (?:decide|sign (?:it|off|this)|make the (?:decision|call))|signs off|makes "
    r"the (?:decision|call)s?|has the final (?:say|word)|approves)\b"
    r"|\bmy (?:oga|madam|lady|bride)\b|\bi (?:arrange|book|handle|organi[sz]e) (?:travel|things"
    r"|events|everything) for\b"
    r"|\bnot my (?:decision|call|money)|\babove my pay|\bup to my (?:boss|manager|director|wife"
    r"|husband)"
    r"|\b(?:need|have to get|needs?) (?:sign-?off|approval|the ok|permission) from|\bpower of "
    r"attorney\b|\bi(?:'m| am)(?: not|n't) calling for myself"
    r"|\bit'?s for (?:our|my) (?:director|boss|manager|nan|mum|mom|dad|client|employer|landl)"
    r"|\bfamily (?:is )?deciding|\b(?:the )?(?:woman|man|person|lady|one) you want is"
    r"|\bdoes the money\b|\bi'?m only the one with the phone"
    r"|\b(?:collecting|gathering) \w+ for (?:our|my|the)\b"
    rf"|\bmy (?:\w+ )?{_SUPERIOR} \([^)]*\) (?:will|wants|needs)|\bi(?:'?ll| will| need to| have "
    rf"to|'d have to)"
    r" (?:need to |have to )?(?:ask|check with|talk to) my (?:boss|manager|director)"
    r"|\bmy (?:mom|mum|mam|dad|parents) says? (?:i can|it's ok)"
    r"|\b(?:mr|mrs|ms|dr)\.? \w+ (?:has )?(?:asked me|would like to have|wants me|wants to know)"
)
_WEAK_YES: Final = re.compile(
    rf"\b(?:i'?m|i am|as) (?:just |also )?(?:the |an? |your )?(?:\w+ ){{0,2}}?{_TOP}(?!\w| "
    rf"(?:asked|wants))"
    rf"|\bwe(?:'re| are) the owners\b|\b(?:are|is) the owners? of (?:a|the)\b"
    r"|\b(?:i|we)(?: now| both| also| do)? own (?:a |an |it\b|the |our |two |three |this |\d)"
    r"|\b(?:and i|we) own it\b|\bi run (?:a |the |my |our |product|marketing|operations|sales|it\b)"
    r"|\b(?:it's|its|it is|this is|it's all) my (?:own )?(?:house|company|clinic|practice"
    r"|business|dental practice"
    r"|firm|shop|restaurant|truck|farm|place|name on)\b|\bon my own name\b|\bleft me the house"
    r"|\bmy (?:own )?(?:company|business)\b|\bmy own (?:practice|shop|firm|restaurant|house"
    r"|place|clinic|studio|salon)\b"
    r"|\bi(?:'m| am) (?:opening|starting|launching) (?:a|my|the)\b|\bour (?:own )?(?:board"
    r"|committee) (?:has )?approved|\bi(?:'ve| have) bought\b|\bwe(?:'re| are) the ones buying"
    r"|\bi(?:'ve| have)? paid for it\b|\bmy ship\b|\bwhich i now own\b|\bi'm the whole company"
)
_HEAD_ROLE: Final = re.compile(
    r"\b(?:owners?|co-?owner|(?:co-?)?founder|proprietor|director|ceo|cfo|coo|cto|cio|cmo|chief \w+"
    r"(?: officer)?|president|vice president|vp|head of|managing \w+|principal|budget holder"
    r"|general manager|partner)\b",
    re.IGNORECASE,
)
_HELPER_ROLE: Final = re.compile(
    r"\b(?:assistant|pa|ea|secretary|intern|student|receptionist|clerk|trainee)\b", re.IGNORECASE
)
_NOT_HEAD: Final = re.compile(
    r"\b(?:to (?:the|our|w\.|\w+\.?)|assistant|deputy assistant|office of|for)\b", re.IGNORECASE
)
_DENIED: Final = re.compile(
    r"(?:\bnot|n't|\bnever|\bif|\bused to be|\bwhen|\bonce|\bunless|\bwere|\bno longer)\s+(?:\w+ "
    r")?$"
)


def find_decision(material: Material, role: Finding | None) -> Finding | None:
    """`yes` or `no`, with the words that say so. What is said outweighs a title.

    Somebody who says that they decide does so, whoever asked them; then comes who asks for somebody
    else; then ownership and titles.
    """
    ranked = ((_STRONG_YES, "yes", 0.9), (_NO, "no", 0.85), (_WEAK_YES, "yes", 0.8))
    for pattern, value, confidence in ranked:
        for source in material.own:
            if match := _stated(pattern, source, check=value == "yes"):
                return Finding(source, *match.span(), confidence, value, value)
    return _by_title(role)


def _stated(pattern: re.Pattern[str], source: Source, *, check: bool) -> re.Match[str] | None:
    for match in pattern.finditer(source.lower):
        before = source.lower[max(0, match.start() - 24) : match.start()]
        if not (check and _DENIED.search(before)):
            return match
    return None


def _by_title(role: Finding | None) -> Finding | None:
    if role is None:
        return None
    title = role.quote
    if _HELPER_ROLE.search(title):
        value = "no"
    elif _HEAD_ROLE.search(title) and not _NOT_HEAD.search(title):
        value = "yes"
    else:
        return None
    return Finding(role.source, role.start, role.end, 0.8, value, value)
