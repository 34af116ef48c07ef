"""Stretches that may name a time, in seven languages: more than the rules would dare to take.

Only candidates: most clock times, ordinals and durations are no wish's own, and which are is
learned from what stands around them. The words are those of the calendars of English, German,
French, Spanish, Italian, Portuguese and Dutch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from triage.signals.source import Finding, Source
from triage.signals.span import MONTHS, ORDINAL, WEEKDAYS
from triage.signals.spoken import NUMBER
from triage.signals.timeline import NOT_A_TIME

_ABROAD: Final = (
    # months
    r"januar|j\u00e4nner|februar|m\u00e4rz|mai|juni|juli|oktober|dezember|janvier|f\u00e9vrier|mars"
    r"|avril|juin|juillet|ao\u00fbt|septembre|octobre|novembre|d\u00e9cembre|enero|febrero|marzo"
    r"|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|gennaio|febbraio"
    r"|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre|janeiro|fevereiro|mar\u00e7o|maio"
    r"|junho|julho|setembro|outubro|novembro|dezembro|januari|februari|maart|mei|augustus"
    # days of the week
    r"|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag|lundi|mardi|mercredi"
    r"|jeudi|vendredi|samedi|dimanche|lunes|martes|mi\u00e9rcoles|jueves|viernes|s\u00e1bado"
    r"|domingo|luned\u00ec|marted\u00ec|mercoled\u00ec|gioved\u00ec|venerd\u00ec|sabato|domenica"
    r"|segunda-feira|ter\u00e7a-feira|quarta-feira|quinta-feira|sexta-feira|maandag|dinsdag"
    r"|woensdag|donderdag|vrijdag|zaterdag|zondag"
    # seasons
    r"|fr\u00fchjahr|fr\u00fchling|sommer|herbst|printemps|\u00e9t\u00e9|automne|hiver|primavera"
    r"|verano|oto\u00f1o|invierno|estate|autunno|inverno|ver\u00e3o|outono|voorjaar|lente|zomer"
    r"|herfst|najaar"
    # counted from today
    r"|heute|morgen|\u00fcbermorgen|woche|monats?|jahr(?:es)?|quartals?|aujourd'hui|demain|semaine"
    r"|mois|ann\u00e9e|trimestre|hoy|ma\u00f1ana|semana|mes|a\u00f1o|oggi|domani|settimana|mese"
    r"|anno|hoje|amanh\u00e3|m\u00eas|ano|vandaag|overmorgen|week|maand|jaar|kwartaal"
    r"|sofort|ostern|weihnachten|p\u00e2ques|no\u00ebl|pascua|navidad|pasqua|natale|natal|pasen"
    r"|kerst"
)
_NEXT_ABROAD: Final = (
    r"(?:n\u00e4chste[nrs]?|kommende[nrs]?|diese[nrs]?|ende|anfang|mitte|prochaine?|ce(?:tte)?|fin"
    r"|d\u00e9but|pr\u00f3xim[oa]s?|est[ea]|fin(?:al|es)?|principios|prossim[oa]|quest[oa]|fine"
    r"|inizio|volgende?|komende?|deze|eind|begin)"
)
_SPAN: Final = r"(?:hour|day|week|weekend|fortnight|month|quarter|year)s?"
_TERM: Final = (
    r"(?:term|semester|season|quarter|fortnight|spring|summer|autumn|fall|winter|weekend|week|month"
    r"|year|holidays?|break|half[- ]term|bank holiday|christmas|xmas|easter|thanksgiving|ramadan"
    r"|eid|diwali|hanukkah|passover|(?:labou?r|memorial|new year's|boxing|mother's|father's) day)"
)
_CORES: Final = (
    (
        rf"(?:in|within|inside|under) (?:the )?(?:next )?(?:about )?(?:{NUMBER}|a|an)"
        rf"(?:(?: |-){_SPAN})"
    ),
    rf"{NUMBER}(?: and a half)? {_SPAN}(?! old\b)",
    (
        rf"(?:this|next|coming|early|late|mid|over|during|for|before|after|until|by) "
        rf"(?:next |the )?(?:[a-z]+ )?{_TERM}\b"
    ),
    r"(?:(?:end|start|middle) of )?q[1-4]\b",
    rf"(?:{MONTHS} )?bank holiday\b",
    rf"(?:the )?{ORDINAL}(?: of (?:this|next) month)?\b",
    (
        rf"(?:{WEEKDAYS}s?|today|tonight|tomorrow|this (?:morning|afternoon|evening))"
        rf"(?: (?:at|after|before|by) {NUMBER})?\b"
    ),
    rf"(?:at|after|before|by|until) (?:{NUMBER}|noon|midday|lunch(?:time)?)\b",
    r"(?:\d{1,2}[:.]\d\d|\d{1,2}) ?[ap]m\b",
    r"(?:now|(?:right|straight) away)\b",
    rf"{MONTHS}\b(?: and {MONTHS}\b)?",
    r"(?:am|den|le|el|il|dia|op|bis zum|bis) \d{1,2}\b(?!:)",
    (
        rf"(?:(?:\d{{1,2}}\.?|{_NEXT_ABROAD})(?: de| du| des| di| en \d{{1,2}}\.?)? )?"
        rf"(?:{_NEXT_ABROAD} )?(?:{_ABROAD})\b(?: (?:{_NEXT_ABROAD}|{_ABROAD})\b)?"
    ),
)
_MOMENTS: Final = tuple(re.compile(rf"(?<![\w.,:/$\u00a3\u20ac-])(?:{core})") for core in _CORES)


def moments(source: Source) -> Iterator[Finding]:
    """Every stretch that may name a time, kind by kind; they may share words."""
    for pattern in _MOMENTS:
        for match in pattern.finditer(source.lower):
            if not NOT_A_TIME.match(match[0]):
                yield Finding(source, *match.span(), 0.5)
