"""Codes: what the pages do with six typed digits, and what they say of them."""

from __future__ import annotations

import unicodedata

from flask import request
from flask_babel import gettext as _
from flask_babel import ngettext

from node.services.consents import Outcome


def typed() -> str:
    """The code that was typed; full-width digits and blanks are forgiven, "" for anything else."""
    code = "".join(unicodedata.normalize("NFKC", request.form.get("code", "")).split())
    return code if code.isascii() and code.isdigit() and len(code) == 6 else ""


def not_six() -> str:
    """What is said of anything else."""
    return str(_("The code has six digits. Please enter it as it stands in the mail."))


def said(outcome: Outcome, left: int) -> str:
    """What is said of a code that was not right."""
    if outcome is Outcome.WRONG:
        return str(
            ngettext(
                "This is not the code from the mail. You can try %(num)s more time.",
                "This is not the code from the mail. You can try %(num)s more times.",
                left,
            )
        )
    if outcome is Outcome.TRIED_TOO_OFTEN:
        return str(
            _("This code was tried five times and is no longer valid. Please ask for a new one.")
        )
    if outcome is Outcome.EXPIRED:
        return str(_("This code is no longer valid. Please ask for a new one."))
    return str(_("No code has been sent yet. Please ask for one first."))


def masked(email: str) -> str:
    """An address that its owner recognises and nobody else learns: t•••@example.jp."""
    local, _at, domain = email.rpartition("@")
    return f"{local[:1]}•••@{domain}"
