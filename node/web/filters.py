"""How pages write times, numbers and money: `{{ at|moment }}`, `{{ n|number }}`, `{{ fee|yen }}`.

Inside, times are whole Unix seconds; people read them in the node's time zone. DOMAIN 4.2, 5.1.
"""

from collections.abc import Callable
from datetime import date, datetime

from flask_babel import get_locale
from flask_babel import gettext as _

from node.i18n import EASY_JAPANESE, language_of, plain_day, plain_moment
from node.web.entrance import node

DASH = "―"
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400


def _local(at: int) -> datetime:
    return datetime.fromtimestamp(at, node().settings.time_zone)


def _japanese() -> bool:
    return language_of(get_locale()) in ("ja", EASY_JAPANESE)


def _easy() -> bool:
    return language_of(get_locale()) == EASY_JAPANESE


def moment(at: int | None) -> str:
    """2026/11/22 14:05"""
    if at is None:
        return DASH
    if _easy():
        return plain_moment(_local(at))
    return _local(at).strftime("%Y/%m/%d %H:%M" if _japanese() else "%d %b %Y, %H:%M")


def day(at: int | str | None) -> str:
    """2026/11/22, of a moment or of a day as documents write it (2026-11-22)."""
    if at is None:
        return DASH
    try:
        then = date.fromisoformat(at) if isinstance(at, str) else _local(at)
    except ValueError:
        # Another member wrote it, and only its form was judged.
        return str(at)
    if _easy():
        return plain_day(then)
    return then.strftime("%Y/%m/%d" if _japanese() else "%d %b %Y")


def number(value: int | None) -> str:
    """1,234"""
    return DASH if value is None else f"{value:,}"


def signed(value: int | None) -> str:
    """+1, ±0 or −10: points that come and go."""
    if value is None:
        return DASH
    sign = "+" if value > 0 else "\N{MINUS SIGN}" if value < 0 else "±"
    return f"{sign}{abs(value):,}"


def yen(value: int | None) -> str:
    """1,234,567円"""
    if value is None:
        return DASH
    return f"{value:,}円" if _japanese() else f"¥{value:,}"


def ago(at: int | None) -> str:
    """3 minutes ago, for states that change; lists show the moment."""
    if at is None:
        return DASH
    passed_s = max(0, node().clock.now() - at)
    if passed_s >= DAY_S:
        return str(_("%(n)s days ago", n=passed_s // DAY_S))
    if passed_s >= HOUR_S:
        return str(_("%(n)s hours ago", n=passed_s // HOUR_S))
    if passed_s >= MINUTE_S:
        return str(_("%(n)s minutes ago", n=passed_s // MINUTE_S))
    return str(_("just now"))


FILTERS: dict[str, Callable[[int | None], str]] = {
    "moment": moment,
    "day": day,
    "number": number,
    "signed": signed,
    "yen": yen,
    "ago": ago,
}
