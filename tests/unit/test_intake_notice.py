from __future__ import annotations

import pytest

from triage.intake.forms.notice import _SYSTEMS, Envelope, _system
from triage.types import Party

SAID = {
    "contact-form-7": ["This e-mail was sent from a contact form on Example", "Message Body:"],
    "wpforms": ["Sent with WPForms", "--- Your name ---"],
    "gravity-forms": ["Gravity Forms", "gravityforms"],
    "elementor": ["Powered by: Elementor"],
    "ninja-forms": ["Ninja Forms"],
    "formidable": ["Formidable Forms", "?frm_action=edit"],
    "jotform": ["JotForm"],
    "typeform": ["Typeform"],
    "google-forms": ["Google Forms", "https://docs.google.com/forms/d/1", "https://forms.gle/1"],
    "microsoft-forms": ["Microsoft Forms", "forms.office.com", "forms.cloud.microsoft"],
    "hubspot": ["HubSpot"],
    "squarespace": ["Squarespace", "Sent via form submission from Example"],
    "wix": ["a Wix site", "wix.com", "Message details:"],
    "webflow": ["Webflow"],
    "shopify": ["Shopify", "from your online store's contact form"],
    "formspree": ["Formspree"],
    "netlify": ["Netlify"],
    "unbounce": ["Unbounce"],
    "formmail": ["Below is the result of your feedback form."],
    "adf": ["<adf>", "<?ADF VERSION"],
}


def test_every_system_has_its_words() -> None:
    assert SAID.keys() == _SYSTEMS.keys()
    for system, words in _SYSTEMS.items():
        assert len(SAID[system]) >= words.count("|"), f"{system} has words that nobody tries"


@pytest.mark.parametrize(("system", "said"), [(s, said) for s in SAID for said in SAID[s]])
def test_a_system_is_told_by_its_words(system: str, said: str) -> None:
    assert _system(f"Hello,\n{said}\nName: Ann", Envelope(Party())) == system
    assert _system(f"Hello,\n{said.upper()}\nName: Ann", Envelope(Party())) == system
