"""Prefectures as HR reads them."""

from flask_babel import gettext as _

from node.services.applicants import PREFECTURES


def prefecture(code: str) -> str:
    """The prefecture's name; nothing when the person chose not to say."""
    return str(_(PREFECTURES[code])) if code in PREFECTURES else ""
