"""Registering a hire: the first day, a fee or a free-hire slot.  DOMAIN 2.1 R12, 2.2 V7."""

from typing import Any

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from node import forms, models
from node.services import hires, ledger, referrals
from node.services.hires import FEE_YEN_MAX
from node.services.ledger import Position
from node.web.entrance import charter, node, require_role, user
from node.web.referrals.received import Offer, offer_of
from protocol import Charter

blueprint = Blueprint("referral_hiring", __name__, url_prefix="/referrals/in")

_YEN = validate.Range(0, FEE_YEN_MAX, error=lazy_gettext("Enter whole yen, up to 100 million."))


class NewHire(Schema):
    """What HR knows on the day the person accepts."""

    joins_on = fields.Date(required=True)
    how = fields.String(required=True, validate=validate.OneOf(("fee", "slot")))
    fee_yen = fields.Integer(load_default=0, validate=_YEN)
    annual_pay_yen = fields.Integer(load_default=None, validate=_YEN)
    confirmed = fields.String(load_default="")

    @validates_schema
    def _slot_costs_nothing(self, data: dict[str, Any], **_more: object) -> None:
        if data.get("how") == "slot" and data.get("fee_yen"):
            said = lazy_gettext("A hire with a slot has no fee. Leave this blank.")
            raise ValidationError(str(said), "fee_yen")


NEW_HIRE = NewHire()


@blueprint.get("/<referral_id>/hire")
@require_role("recruiter")
def ask(referral_id: str) -> ResponseReturnValue:
    """The form; a slot is offered only when there is one."""
    row, position, may_use = _situation(referral_id)
    how = "slot" if may_use and position.slots else "fee"
    return _page("hire.html", row, position, forms.Form({"how": how}), may_use=may_use)


@blueprint.post("/<referral_id>/hire")
@require_role("recruiter")
def register(referral_id: str) -> ResponseReturnValue:
    """確認画面 first; with `confirmed`, the hire is registered and the 完了画面 says so."""
    row, position, may_use = _situation(referral_id)
    values, form = forms.read(NEW_HIRE, request.form, _)
    if form.errors:
        return _page("hire.html", row, position, form, may_use=may_use)
    if not values["confirmed"]:
        return _page("confirm_hire.html", row, position, form, may_use=may_use, hire=values)
    here, with_slot = node(), values["how"] == "slot"
    with here.database.transaction() as session:
        hires.register(
            session,
            here.context,
            referral_id,
            joins_on=values["joins_on"].isoformat(),
            with_slot=with_slot,
            fee_yen=values["fee_yen"],
            annual_pay_yen=values["annual_pay_yen"],
            user_id=user().id,
        )
        after = ledger.position(session, here.context)
    return _page("hired.html", row, after, form, may_use=may_use, hire=values)


def _situation(referral_id: str) -> tuple[models.ReferralIn, Position, bool]:
    here = node()
    with here.database.reading() as session:
        row = referrals.offered(session, referral_id)
        if row.state == "hired":
            raise hires.HireRegistered(referral_id)
        if row.state != "profile_received":
            raise referrals.ReferralNotAccepted(row.state)
        position = ledger.position(session, here.context)
        return row, position, hires.may_use_slot(session, here.context, row.sender)


def _is_agency(row: models.ReferralIn) -> bool:
    here = node()
    with here.database.reading() as session:
        return hires.is_agency(session, here.context, row.sender)


def _first(row: models.ReferralIn) -> Offer | None:
    """The referral of perhaps the same person that counts before this one."""
    here = node()
    with here.database.reading() as session:
        first = referrals.first_of(referrals.others_of(session, here.context, row))
    return None if first is None else offer_of(first)


def _page(
    template: str,
    row: models.ReferralIn,
    position: Position,
    form: forms.Form,
    *,
    may_use: bool,
    **more: Any,  # noqa: ANN401
) -> ResponseReturnValue:
    alliance = _charter()
    page = render_template(
        f"referrals/{template}",
        offer=offer_of(row),
        form=form,
        position=position,
        may_use=may_use,
        cost=alliance.policy.points_per_free_hire,
        is_agency=_is_agency(row),
        first=_first(row),
        **more,
    )
    return make_response(page, 422 if form.errors else 200)


def _charter() -> Charter:
    alliance = charter()
    assert alliance is not None, "referrals come from members"
    return alliance
