"""The charter: what is in force, drafts of the next version, and every version so far.  LEDGER 5.

Steering people approve here; what is proposed is written with `tasuki charter draft`, by whoever
speaks for the member. The file that can be taken away proves itself on a machine without a node.
"""

from collections.abc import Iterator

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node.i18n import later
from node.refusals import NotThere
from node.services import charter as charters
from node.services import decrees, seats
from node.services.decrees import DraftView
from node.web.entrance import charter, node, require_role, user
from protocol import Charter, Kind, fingerprint

blueprint = Blueprint("charter", __name__, url_prefix="/charter")

KINDS = {
    Kind.JOIN: later("%(company)s joins"),
    Kind.LEAVE: later("%(company)s leaves"),
    Kind.EXPEL: later("%(company)s is expelled; its account is closed"),
    Kind.ROLE: later("%(company)s becomes a member with an account, or a witness without"),
    Kind.IDENTITY: later("%(company)s gets another identity key"),
    Kind.NODE_KEYS: later("%(company)s replaces the keys of its node"),
    Kind.DETAILS: later("%(company)s changes its details: name, address, licences, node"),
    Kind.NAME: later("The alliance gets another name"),
}
RULES = {
    "answer_days": later("Time to answer, in working days"),
    "ownership_days": later("Ownership window, in days"),
    "partners_per_screen": later("Companies on one page of the consent"),
    "points_per_free_hire": later("Points for a hire without fee"),
    "points_per_referral": later("Points for an accepted referral"),
    "redemption": later("Hire without fee"),
    "refund_table": later("Refund of a fee, by the days until leaving"),
    "retention_days": later("Days that profiles are kept"),
}
LAST_VERSIONS = 50


@blueprint.get("")
@require_role("admin")
def show() -> ResponseReturnValue:
    """The version in force with its fingerprints, open drafts, and the versions before."""
    here = node()
    in_force = _in_force()
    with here.database.reading() as session:
        views = decrees.views(session, here.context)
        is_deciding = seats.is_stopped(session, in_force)
        history = charters.versions(session)[::-1][:LAST_VERSIONS]
    return render_template(
        "charter/show.html",
        charter=in_force,
        drafts=[(view, list(_words(view, in_force))) for view in views],
        is_deciding=is_deciding,
        history=history,
        us=here.settings.member_id,
        prints=[
            (each, fingerprint(each.identity_key), fingerprint(each.signing_key))
            for each in in_force.members
        ],
    )


def _in_force() -> Charter:
    found = charter()
    if found is None:
        raise charters.NotFounded
    return found


def _words(view: DraftView, before: Charter) -> Iterator[str]:
    """What a draft changes, a sentence each, with what it was and what it becomes."""
    for change in view.changes:
        company = _company(change.member, view.charter, before)
        if change.kind is Kind.LIMIT:
            old, new = (each.member(change.member).credit_limit for each in (before, view.charter))
            yield _(
                "The credit limit of %(company)s: %(old)s → %(new)s points",
                company=company,
                old=old,
                new=new,
            )
        elif change.kind is Kind.QUORUM:
            yield _(
                "Votes that certify: q = %(old)s → %(new)s; tolerated liars: b = %(b)s → %(c)s",
                old=before.q,
                new=view.charter.q,
                b=before.b,
                c=view.charter.b,
            )
        elif change.kind is Kind.POLICY:
            yield from _rules(before, view.charter)
        else:
            yield _(KINDS[change.kind], company=company)


def _rules(before: Charter, after: Charter) -> Iterator[str]:
    old, new = before.policy.to_json(), after.policy.to_json()
    for name in sorted(new):
        if old[name] != new[name]:
            yield f"{_(RULES[name])}: {_rule(old[name])} → {_rule(new[name])}"


def _rule(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(f"{each['days']} ≤ {each['percent']} %" for each in value)
    return str(value)


def _company(member: str, *versions: Charter) -> str:
    for version in versions:
        if member in version.by_id:
            return version.by_id[member].legal_name
    return member


@blueprint.post("/drafts/<digest>/approve")
@require_role("admin")
def approve(digest: str) -> ResponseReturnValue:
    """Approve of a draft; the nodes bring it into force once enough members do."""
    view = _say(digest, on=True)
    if view.is_ready:
        flash(_("Enough members approve: the nodes are deciding now."), "success")
    else:
        flash(_("Your company approves of this draft. It waits for others."), "success")
    return redirect(url_for("charter.show"))


@blueprint.post("/drafts/<digest>/take-back")
@require_role("admin")
def take_back(digest: str) -> ResponseReturnValue:
    """Approve no longer, as long as the decision has not begun."""
    _say(digest, on=False)
    flash(_("Your company's approval is taken back."), "success")
    return redirect(url_for("charter.show"))


def _say(digest: str, *, on: bool) -> DraftView:
    here = node()
    with here.database.transaction() as session:
        found = [each.digest for each in decrees.views(session, here.context)]
        chosen = next((each for each in found if each.hex() == digest), None)
        if chosen is None:
            raise NotThere(digest)
        return decrees.approve(session, here.context, chosen, on=on, actor=user().id)


@blueprint.get("/file")
@require_role("admin")
def file() -> Response:
    """Every version with what proves it, for `tasuki charter verify` on any machine."""
    here = node()
    in_force = _in_force()
    with here.database.reading() as session:
        content = charters.chain(session)
    answer = Response(content, mimetype="application/json")
    name = f"charter-{in_force.alliance}-{in_force.version}.json"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
