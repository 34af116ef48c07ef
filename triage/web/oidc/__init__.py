"""Signing in at an OpenID provider (OpenID Connect Core 1.0): the only package that knows how."""

from triage.web.oidc.person import Person as Person
from triage.web.oidc.person import person as person
from triage.web.oidc.provider import Provider as Provider
