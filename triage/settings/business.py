"""The business that is contacted, and the customers it looks for."""

from __future__ import annotations

from pydantic import (
    Field,
)

from triage.settings.section import Section


class Business(Section):
    """Who is contacted; goes into the model's input.

    `country` (ISO 3166, two letters) is where a phone number without a country code is dialled.
    """

    name: str = ""
    sells: str = ""
    domains: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    country: str = Field(default="US", pattern=r"^[A-Z]{2}$")

    @property
    def profile(self) -> str:
        """The profile as the model reads it: one line of text, empty where nothing is set."""
        parts = [self.name, self.sells, ", ".join(self.places)]
        return ". ".join(part.strip().rstrip(".") for part in parts if part.strip())


class IdealCustomer(Section):
    """What the fit of a lead is measured against; empty fields do not count."""

    industries: tuple[str, ...] = ()
    min_size: int | None = None
    max_size: int | None = None
    regions: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    min_budget: float | None = None
