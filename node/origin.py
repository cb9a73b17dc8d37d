"""Where a visitor's request comes from, when a proxy stands between.  ASVS 4.1.3."""

from ipaddress import ip_address


def origin(asked_by: str, forwarded_for: str) -> str:
    """The address behind a request, given who connected and its X-Forwarded-For.

    Only a proxy beside us may say on whose behalf it asks, and only its own word counts: the last
    entry, since everything before it was written by the client.
    """
    told = forwarded_for.rpartition(",")[2].strip()
    return told if told and _is_near(asked_by) else asked_by


def _is_near(address: str) -> bool:
    try:
        return ip_address(address).is_private
    except ValueError:
        return True  # a socket in the file system has no address
