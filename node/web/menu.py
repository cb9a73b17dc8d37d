"""The menu at the left: what a person of this role may open, and where they are."""

from dataclasses import dataclass

from flask import current_app, request, url_for
from flask_babel import gettext as _

from node.i18n import later
from node.web.entrance import current_user

ROLE_NAMES = {
    "admin": later("Administrator"),
    "recruiter": later("Recruiter"),
    "approver": later("Approver"),
    "viewer": later("Viewer"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the menu. It is shown once its page exists, to those who may open it."""

    id: str
    endpoint: str
    icon: str
    label: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A line as the page shows it."""

    id: str
    url: str
    icon: str
    label: str
    here: bool
    exact: bool
    count: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """Lines under one heading."""

    id: str
    title: str
    lines: list[Shown]


ACCOUNT = ("recruiter", "approver")
MENU: tuple[tuple[str, str, tuple[Item, ...]], ...] = (
    ("home", "", (Item("dashboard", "dashboard.show", "house", later("Home")),)),
    (
        "notices",
        later("Applicants and notices"),
        (
            Item("applicants", "applicants.listing", "people", later("Applicants")),
            Item("notices", "notices.listing", "send", later("Rejection notices")),
            Item("templates", "templates.listing", "file-earmark-text", later("Templates")),
        ),
    ),
    (
        "referrals",
        later("Referrals"),
        (
            Item(
                "received", "referrals_in.listing", "box-arrow-in-down", later("Referrals received")
            ),
            Item("sent", "referrals_out.listing", "box-arrow-up-right", later("Referrals sent")),
            Item("hires", "hires.listing", "award", later("Hires")),
            Item("erasures", "erasures.listing", "trash", later("Erasures")),
            Item("records", "records.listing", "clipboard-check", later("Records"), ("recruiter",)),
        ),
    ),
    (
        "alliance",
        later("Alliance"),
        (
            Item("points", "points.show", "coin", later("Points"), ACCOUNT),
            Item("peers", "peers.listing", "diagram-3", later("Member companies"), ("admin",)),
            Item("charter", "charter.show", "journal-check", later("Charter"), ("admin",)),
        ),
    ),
    (
        "settings",
        later("Settings"),
        (
            Item(
                "retention",
                "retention.show",
                "hourglass-split",
                later("Retention"),
                ("admin", "recruiter"),
            ),
            Item("users", "users.listing", "person-gear", later("Users"), ("admin",)),
        ),
    ),
)


def role_name(role: str) -> str:
    """The role in the words of the page."""
    return str(_(ROLE_NAMES.get(role, role)))


def menu() -> list[Group]:
    """The groups that have something to show to this person."""
    groups = []
    for id_, title, items in MENU:
        shown = [_shown(item) for item in items if _may_see(item)]
        if shown:
            groups.append(Group(id_, _(title) if title else "", shown))
    return groups


def _may_see(item: Item) -> bool:
    who = current_user()
    built = item.endpoint in current_app.view_functions
    return built and who is not None and (not item.roles or who.may(*item.roles))


def _shown(item: Item) -> Shown:
    url = url_for(item.endpoint)
    exact = request.path == url
    here = exact or (url != "/" and request.path.startswith(f"{url}/"))
    return Shown(item.id, url, item.icon, _(item.label), here, exact)
