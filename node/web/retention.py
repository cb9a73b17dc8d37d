"""Retention: what is kept how long, and what will go when.  DOMAIN 3.10."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from node.i18n import later
from node.services import retention
from node.web.entrance import node, require_role

blueprint = Blueprint("retention", __name__, url_prefix="/retention")

KINDS = {
    "applicants": (
        later("People who were not hired"),
        later("from their notice, or from the last time that their data was sent"),
    ),
    "profiles": (
        later("Profiles that other companies sent"),
        later("from the end of the selection; except people whom you hired"),
    ),
    "provided": (
        later("Records of provision"),
        later("from the day on which they were made; by law"),
    ),
    "received": (
        later("Records of receipt"),
        later("from the day on which they were made; by law"),
    ),
}


@blueprint.get("")
@require_role("admin", "recruiter")
def show() -> ResponseReturnValue:
    """The four kinds, with what is due and what follows within thirty days."""
    with node().database.reading() as session:
        found = retention.review(session, node().context)
    return render_template("retention/show.html", reviews=found, kinds=KINDS)
