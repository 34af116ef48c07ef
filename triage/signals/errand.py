"""How people say that they ask for somebody else, or that somebody else decides."""

from __future__ import annotations

from typing import Final

from triage.signals.phrases import phrases

_SUPERIOR: Final = (
    r"(?:boss|(?:\w+ )?(?:manager|director|supervisor|partners?|officer)|chairman|chair|chief"
    r"|c[eft]o"
    r"|coo|fd|md|gm|vp|head(?:master|mistress| teacher)?|principal|owners?|co-owners|board"
    r"|committee|trustees|governors|council|vestry|congregation|super|superior|(?:team )?lead"
    r"|landlord|landlady|employer|client|customer|dean|president|professor|management"
    r"|headquarters|head office|corporate|accounts|accountant|finance|procurement|purchasing"
    r"|family|sister|brother|son|daughter|parents)"
)
_BOSS: Final = _SUPERIOR.replace("|family|sister|brother|son|daughter|parents", "")
_JUNIOR: Final = (
    r"(?:intern|assistant|secretary|receptionist|student|bookkeeper|clerk|pa|ea|apprentice"
    r"|trainee|temp|volunteer|office junior|coordinator|nanny|caretaker|messenger|go-between"
    r"|tenant|neighbou?r|helper|driver|nurse|carer|caregiver|social worker|paralegal)"
)
_OF_MINE: Final = r"(?:my|our|the|his|her|their)"
_MODAL: Final = (
    r"(?:will|would|'ll|'d|has to|have to|needs? to|must|is going to|wants? to|gets? to|likes? to"
    r"|usually|always|also|still|then|all|both|to)"
)
_DECIDES: Final = (
    r"(?:decid(?:e|es|ing)|choos(?:e|es|ing)|picks?|sign(?:s|ed)?(?: off)?|approv(?:e|es|ed)|agree"
    r"|vote|authori[sz]es?|pass(?:es)? (?:it|this)|ok(?:ay)?s? (?:it|this)"
    r"|makes? (?:the|all the|that|those) (?:final )?(?:decisions?|calls?)|ha(?:s|ve) the "
    r"(?:final|last) "
    r"(?:say|word|call)|pays?(?: for)?|holds? the (?:purse|budget))"
)
_ERRAND: Final = (
    r"(?:find|get|ask|call|look|check|ring|phone|reach|contact|e-?mail|gather|see|collect|price"
    r"|book|arrange|organi[sz]e|inquire|enquire|research|do|draw|put|make|write|sort|compare"
    r"|source)"
)

ASKS_FOR_OTHERS: Final = phrases(
    r"(?:will be signing|has to okay|have to okay|(?:must|has to|have to|needs to) (?:still "
    r"|first )?(?:give (?:the|us the) "
    r"(?:green light|go-?ahead|ok(?:ay)?)|say yes|sign it off))\b|(?:sir|madam|boss) has (?:told"
    r"|asked)|i only do the "
    r"(?:finding|asking|legwork|calling|typing|phoning)\b",
    # sent by somebody
    r"(?:on|in) behalf of\b(?! (?:my(?:self| own)|our own))",
    r"(?:writing|calling|ringing|phoning|e-?mailing|enquiring|inquiring|acting|researching) for "
    r"(?:(?:our|my"
    r"|his|her|the)\b(?! (?:own|house|home|place|price|quote|wife and|wedding|appointment))"
    r"|(?:dr|mr|mrs|ms"
    r"|attorney|father|sister)\b|an? (?:patient|client|customer|friend|colleague|neighbou?r"
    r"|resident|member))",
    r"(?:has |have |had |was |were |been |just )*(?:asked|told|instructed|tasked|sent|wants"
    r"|wanted|"
    r"want|nominated|volunteered|begged|got|needs|likes?|would like|charged) (?:me|us)(?: with| "
    r"to| if| "
    rf"about| for)? (?:the )?{_ERRAND}(?:ing|ting)?\b",
    r"(?:has |have )?(?:asked|told) me (?:to(?! ask for| call you)|if|about)\b|wants? me to\b"
    r"|sent me to\b",
    r"i(?:'ve| have| was|'m| am) (?:been )?(?:just )?(?:asked|told|tasked|instructed|sent"
    r"|deputi[sz]ed)"
    rf"(?: by [\w' ]{{2,40}})? to {_ERRAND}\b|who got asked to",
    r"been asked (?:by [\w' ]{2,40} )?to\b",
    rf"(?<!previous )(?<!old )(?:our|my|the) {_BOSS}(?:,? [\w. ]{{2,20}},)? "
    r"(?:has |have |just |is |would |will |also |really |only )*(?:ask(?:ed|s|ing)?|wants?|told"
    r"|tells"
    r"|need(?:s|ed)? (?:me|a|some|this|to)|said (?:to|i|get|find|we)|says?|would like|likes?"
    r"|wondered"
    r"|request(?:ed|s)|looking|doing a list|will call|sent me|gave me your)\b"
    r"(?! (?:off|me the ok|that i can|it's ok))",
    rf"(?:our|my|the) {_SUPERIOR} \([^)]{{1,30}}\) (?:will|wants|needs)",
    r"my (?:boss|manager|supervisor|line manager|employer|oga|madam|lady|bride)\b",
    r"(?:mr|mrs|ms|dr|sir|lady|father|pastor)\.? \w+ (?:has )?(?:asked|would like|wants|needs"
    r"|'d like)",
    r"\w+ (?:in|from|at|over in) (?:our )?(?:purchasing|accounts|finance|procurement|facilities"
    r"|hr|head "
    r"office|management)\b,? (?:wants|needs|asked|would like|is asking)",
    # somebody else decides
    rf"{_OF_MINE} (?:\w+ ){{0,2}}?{_SUPERIOR}(?:,? [\w. ]{{2,20}},)? (?:{_MODAL} )*{_DECIDES}\b"
    r"(?! off on everything i)",
    rf"(?:our|my|the|his|her) {_SUPERIOR} (?:who|that) {_DECIDES}",
    r"(?!(?:i|we|who|to|and|can|will|you|must|or|also|i'll|we'll|let|me|they|not|then|that"
    r"|which)\b)"
    r"\w+ (?:decides|(?:will|'ll|has to|gets to) (?:decide|sign (?:it|off|this)|make the "
    r"(?:decision|call))|signs (?:off|the|everything|it)|makes the (?:decision|call)s?"
    r"|has the (?:final|last) (?:say|word)|approves)\b",
    r"it's \w+ \w+ who signs|(?:the )?(?:selection|decision|award|choice) (?:will be|is|gets) "
    r"made by",
    r"(?:(?:the|any|final) )?(?:choice|decision|say|word|approval) (?:rests|lies|belongs|comes "
    r"from|is up "
    r"to|is with|isn't mine|is not mine)\b|decision is (?:his|hers|theirs)",
    r"(?:subject to|pending|awaiting|waiting (?:for|on)|need(?:s)?|require[sd]?|have to get"
    r"|get) (?:the |an? |"
    r"our |final )?(?:board |budget |formal |manager's )?(?:approval|sign-?off|authori[sz]ation"
    r"|permission"
    r"|the ok)\b(?: (?:of|by|from))?",
    r"(?:run|pass|put|take|bring|show|present|send|forward|give) (?:it|this|that|them|these"
    r"|something|your "
    rf"\w+) (?:back |on |over |up |along |past |before |by |to |in front of |in to )+(?:my|our"
    rf"|the|his|her|"
    rf"all the|the other) (?:\w+ )?(?:{_SUPERIOR}|wife|husband|others|other|team|people|girls"
    rf"|guys|lads)",
    r"(?:run|pass|put) (?:it|this|that) (?:past|by|to)\b",
    rf"(?:ask|check with|talk to|speak (?:to|with)|clear (?:it|this) with|consult|discuss (?:it"
    rf"|this) with|"
    rf"report(?:ing)? (?:back )?to|get back to|okay from|ok from) (?:with )?(?:my|our|the|his"
    rf"|her) "
    rf"(?:{_SUPERIOR}|wife|husband|partner|missus)\b",
    r"so (?:he|she|they) (?:has|have|can (?:decide|choose|pick|compare|sign|look))\b",
    # who only asks
    rf"i(?:'?m| am) (?:just |only |really |just just )*(?:the |a |an |his |her |their |our "
    rf")+(?:the )?"
    rf"(?:\w+ ){{0,2}}?{_JUNIOR}\b",
    r"i(?:'m| am)? (?:don'?t|do not|can'?t|cannot|am not able to|couldn'?t|am not allowed to) "
    r"(?:really |"
    r"actually |get to |be the one to |personally )*(?:decide|sign|approve|authori[sz]e|agree"
    r"|commit|say "
    r"yes|handle the money|make (?:the|that|those))|can'?t be the one (?:that|who|to) say",
    r"(?:i dont|i don't) sign\b|i(?:'m| am|m) not the (?:one|person|owner|boss|chief|decision"
    r"|manager|buyer)"
    r"|i(?:'m| am) not in (?:a position|charge)",
    r"(?:that's |it's |is )?not (?:mine|me) (?:to decide|who decides|that decides|to say)|will "
    r"sign not me"
    r"|not (?:really )?(?:my|up to) (?:decision|call|money|me)\b|above my pay|out of my hands",
    r"i(?:'m| am) (?:just|only) the (?!one (?:who|that) (?:pays|decides|signs))(?:one who got"
    r"|\w+)",
    r"(?:he|she)(?:'s| is) the one (?:that|who|with)|up to my (?:boss|manager|director|wife"
    r"|husband|dad|mum"
    r"|mom|parents|partner|landlord)\b|up to (?:him|her|them)\b",
    r"i (?:arrange|book|handle|organi[sz]e) (?:travel|things|events|everything) for\b|power of "
    r"attorney\b",
    r"i(?:'m| am)(?: not|n't) calling for myself|(?:it's |this is |its )not for me\b",
    r"it'?s (?:really |actually )?for (?:our|my) (?:director|boss|manager|nan|gran\w*|mum|mom"
    r"|mam|dad|father"
    r"|mother|client|employer|landl\w+|neighbou?r|uncle|aunt\w*|in-laws|professor|teacher|class"
    r"|school)",
    r"family (?:is )?deciding|(?:the )?(?:woman|man|person|lady|one) you want is|does the money\b",
    r"(?:just |only )?(?:collecting|gathering|getting|pulling together) (?:\w+ ){1,4}for (?:our"
    r"|my|the) "
    rf"(?:\w+ ){{0,2}}?{_SUPERIOR}",
    r"my (?:mom|mum|mam|dad|parents) says? (?:i can|it's ok)|i'?m only the one with the phone",
    r"recommend(?:ation)? to (?:the|our|my)\b|make a recommendation",
)
