"""Job titles: the words that make one."""

from __future__ import annotations

import re
from typing import Final

_KIND: Final = (
    r"(?:managing|executive|assistant|deputy|senior|general|vice|practice|regional|fleet|events?"
    r"|line|camp|office|procurement|hr|it|purchasing|facilities|operations|project|marketing|sales"
    r"|property|duty|category|store|account|finance|compliance|school|plant|production|technical)"
)
ROLE: Final = (
    rf"(?:{_KIND} )*(?:manager|mgr|director|(?:co-)?owner|(?:co-)?founder|head of [\w&]+(?: "
    rf"[\w&]+)?"
    r"|coordinator|officer|assistant|(?:vice )?president|s?vp|ceo|cto|cfo|coo|cio|cmo|gm|partner"
    r"|buyer|clerk|secretary|specialist|analyst|consultant|administrator|supervisor|super"
    r"|superintendent|principal|pastor|chairman|chairwoman|treasurer|bookkeeper|controller|intern"
    r"|student|receptionist|proprietor|landlord|producer|planner|dentist|foreman|technician"
    r"|bursar|trustee|governor|matron|registrar|curator|warden|dispatcher|estimator"
    r"|scheduler|headteacher|headmaster|comptroller|steward|gestionnaire|purchasing|procurement"
    r"|paralegal|people ops|pa|executive|sysadmin|storekeeper|deacon|librarian|teacher|coach|temp)"
)
"""Pattern of a job title, lower case."""

PREMISES: Final = (
    r"(?:restaurants?|shops?|stores?|salons?|barber ?shop|clinics?|practice|studios?|caf\u00e9s?"
    r"|cafes?"
    r"|bakery|bar|gyms?|farms?|ranch|nursery|kennels?|firm|company|business(?:es)?"
    r"|agency|diner|deli|winery|vineyard|brewery|hotels?|motel|hostel|guest ?house|b&b|inn"
    r"|day ?care|workshop|warehouses?|landscaping|food truck|dealership|pharmacy|surgery"
    r"|yoga places?|rental propert(?:y|ies)|duplex|fourplex|apartment building|rentals|start-?up)"
)
"""Pattern of a place of business that somebody may own, lower case."""

TITLE_LINE: Final = re.compile(
    rf"\b{ROLE}\b|\b(?:procurement|purchasing|facilities|transport|operations|lead|lsw)\b"
    r"|\bsection$|\bpa to\b",
    re.IGNORECASE,
)
"""What marks a line of a signature as a title."""
