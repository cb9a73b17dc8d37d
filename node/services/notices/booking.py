"""Booking: when a batch would leave, and whether a second person must say yes.  DOMAIN 2.1."""

from node.context import Context
from node.services import office_hours

# In the demonstration nobody waits a quarter of an hour.
DEMO_CANCEL_WINDOW_S = 5


def needs_approval(context: Context, notices: int) -> bool:
    """Tell whether so many notices need a second person."""
    return notices >= context.settings.approval_from


def slot(context: Context, *, wished_at: int | None) -> int:
    """Return when a batch that is booked now would begin to leave."""
    settings = context.settings
    window = settings.cancel_window_s
    if settings.demo:
        window = min(window, DEMO_CANCEL_WINDOW_S)
    earliest = max(context.clock.now() + window, wished_at or 0)
    return in_hours(context, earliest)


def in_hours(context: Context, at: int) -> int:
    """Return the first second from `at` on in which notices may leave."""
    settings = context.settings
    if settings.demo:
        return at
    return office_hours.next_slot(at, settings.send_window, settings.time_zone)
