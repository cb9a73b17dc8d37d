"""Users: who may sign in here, in which role; for administrators. And one's own password."""

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask import session as browser
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from marshmallow import Schema, fields

from node import forms, models
from node.models.users import ROLES
from node.services import users
from node.services.users import UserRefused
from node.web.entrance import node, require_role, user
from node.web.menu import role_name

blueprint = Blueprint("users", __name__, url_prefix="/users")


class NewUser(Schema):
    """What an administrator enters for a new user; a blank password is made here."""

    name = fields.String(required=True)
    login = fields.String(required=True)
    role = fields.String(required=True)
    email = fields.String(load_default="")
    password = fields.String(load_default="")


class ChangedUser(Schema):
    """What an administrator may change."""

    name = fields.String(required=True)
    role = fields.String(required=True)
    email = fields.String(load_default="")
    active = fields.String(load_default="")


class OwnPassword(Schema):
    """The old password proves who sits there; the new one is typed twice."""

    current = fields.String(required=True)
    password = fields.String(required=True)
    again = fields.String(required=True)


NEW_USER, CHANGED_USER, OWN_PASSWORD = NewUser(), ChangedUser(), OwnPassword()


@blueprint.get("")
@require_role("admin")
def listing() -> ResponseReturnValue:
    """Everybody who may, or could, sign in here."""
    with node().database.reading() as session:
        everybody = users.listing(session)
    addresses = {each.id: users.mailbox_of(node().context, each) for each in everybody}
    return render_template("users/list.html", users=everybody, addresses=addresses)


@blueprint.get("/new")
@require_role("admin")
def new() -> ResponseReturnValue:
    """The form for a new user."""
    return _form("users/new.html", forms.Form({"role": "recruiter"}))


@blueprint.post("/new")
@require_role("admin")
def create() -> ResponseReturnValue:
    """Make the user; a made password is shown once, on the page that says it is done."""
    values, form = forms.read(NEW_USER, request.form, _)
    if form.errors:
        return _form("users/new.html", form)
    typed = request.form.get("password", "") if values["password"] else ""
    password = typed or users.make_password()
    here = node()
    try:
        with here.database.transaction() as session:
            made = users.create(
                session,
                here.context,
                login=values["login"],
                name=values["name"],
                role=values["role"],
                password=password,
                email=values["email"],
                actor=user().id,
            )
    except UserRefused as refusal:
        return _form("users/new.html", _with(form, refusal))
    return _done(_("The user has been added"), made, "" if typed else password)


@blueprint.get("/<user_id>")
@require_role("admin")
def edit(user_id: str) -> ResponseReturnValue:
    """The form with what may be changed."""
    found = _find(user_id)
    active = "yes" if found.active else ""
    about = {"name": found.name, "role": found.role, "active": active}
    form = forms.Form(about | {"email": users.email_of(node().context, found)})
    return _form("users/edit.html", form, edited=found)


@blueprint.post("/<user_id>")
@require_role("admin")
def change(user_id: str) -> ResponseReturnValue:
    """Save it, or say what is wrong with it."""
    found, here = _find(user_id), node()
    values, form = forms.read(CHANGED_USER, request.form, _)
    if form.errors:
        return _form("users/edit.html", form, edited=found)
    try:
        with here.database.transaction() as session:
            users.change(
                session,
                here.context,
                user_id,
                name=values["name"],
                role=values["role"],
                active=values["active"] == "yes",
                email=values["email"],
                actor=user().id,
            )
    except UserRefused as refusal:
        return _form("users/edit.html", _with(form, refusal), edited=found)
    flash(_("The changes to %(name)s have been saved.", name=values["name"]), "success")
    return redirect(url_for("users.listing"))


@blueprint.get("/<user_id>/password")
@require_role("admin")
def confirm_password(user_id: str) -> ResponseReturnValue:
    """確認画面: a new password ends every session of the user."""
    return render_template("users/confirm_password.html", edited=_find(user_id))


@blueprint.post("/<user_id>/password")
@require_role("admin")
def reset_password(user_id: str) -> ResponseReturnValue:
    """完了画面: the new password, shown this once."""
    found, here, password = _find(user_id), node(), users.make_password()
    with here.database.transaction() as session:
        users.set_password(session, here.context, user_id, password, actor=user().id)
    return _done(_("A new password has been made"), found, password)


@blueprint.get("/me/password")
@require_role()
def own_password() -> ResponseReturnValue:
    """The form to change one's own password."""
    return _form("users/own_password.html", forms.Form())


@blueprint.post("/me/password")
@require_role()
def change_own_password() -> ResponseReturnValue:
    """Change it, and sign in again: every session ends, this one too."""
    _values, form = forms.read(OWN_PASSWORD, request.form, _)
    if not form.errors and request.form["password"] != request.form["again"]:
        form.errors["again"] = _("The two new passwords differ.")
    if form.errors:
        return _form("users/own_password.html", form)
    here, me = node(), _find(user().id)
    if not users.password_is_right(me, request.form["current"]):
        form.errors["current"] = _("The current password is not right.")
        return _form("users/own_password.html", form)
    try:
        with here.database.transaction() as session:
            users.set_password(session, here.context, me.id, request.form["password"], actor=me.id)
    except UserRefused as refusal:
        return _form("users/own_password.html", _with(form, refusal))
    browser.clear()
    flash(_("The password has been changed. Please sign in with the new one."), "success")
    return redirect(url_for("sign_in.show"))


def _find(user_id: str) -> models.User:
    with node().database.reading() as session:
        return users.get(session, user_id)


def _with(form: forms.Form, refusal: UserRefused) -> forms.Form:
    form.errors[refusal.field] = _(refusal.sentence())
    return form


def _form(template: str, form: forms.Form, **more: Any) -> ResponseReturnValue:  # noqa: ANN401
    roles = [(role, role_name(role)) for role in ROLES]
    page = render_template(template, form=form, roles=roles, **more)
    return make_response(page, 422 if form.errors else 200)


def _done(title: str, changed: models.User, password: str) -> ResponseReturnValue:
    return render_template("users/done.html", done_title=title, edited=changed, password=password)
