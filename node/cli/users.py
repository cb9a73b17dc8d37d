"""`tasuki users`: the people who may sign in here, from the command line."""

import sys

import click

from node.cli.entrance import Failed, as_json, opened, plainly, say_json
from node.models.users import ROLES
from node.services import users as service


@click.group()
def users() -> None:
    """List, add and repair the users of this node."""


@users.command("list", epilog="Example: tasuki users list --json")
@as_json
@plainly
def list_(json_: bool) -> None:
    """Show every user, with role, state and where reminders go."""
    node = opened()
    with node.database.reading() as session:
        rows = [
            {
                "active": u.active,
                "login": u.login,
                "name": u.name,
                "reminders_to": service.mailbox_of(node.context, u),
                "role": u.role,
            }
            for u in service.listing(session)
        ]
    node.close()
    if json_:
        say_json(rows)
        return
    for row in rows:
        state = "" if row["active"] else "  (may not sign in)"
        to = row["reminders_to"] or "no address, no reminders"
        click.echo(f"{row['login']:20} {row['role']:10} {row['name']} ({to}){state}")


@users.command(epilog="Example: tasuki users add hanako --name 山田花子 --role recruiter")
@click.argument("login")
@click.option("--name", required=True, help="As colleagues read it.")
@click.option("--role", required=True, type=click.Choice(ROLES))
@click.option("--email", default="", help="Where reminders go; else to a login that is an address.")
@click.option("--password-stdin", is_flag=True, help="Read the password; else one is made.")
@as_json
@plainly
def add(login: str, name: str, role: str, email: str, password_stdin: bool, json_: bool) -> None:
    """Add a user, and print the password to hand over."""
    password = _password(password_stdin)
    node = opened()
    with node.database.transaction() as session:
        service.create(
            session,
            node.context,
            login=login,
            name=name,
            role=role,
            password=password,
            email=email,
            actor="cli",
        )
    node.close()
    _say(login, password, made=not password_stdin, json_=json_)


@users.command("password", epilog="Example: tasuki users password admin")
@click.argument("login")
@click.option("--password-stdin", is_flag=True, help="Read the password; else one is made.")
@as_json
@plainly
def set_password(login: str, password_stdin: bool, json_: bool) -> None:
    """Give a user a new password; every session of that user ends."""
    new = _password(password_stdin)
    node = opened()
    with node.database.transaction() as session:
        found = next((u for u in service.listing(session) if u.login == login), None)
        if found is None:
            raise Failed(f"There is no user {login}. See: tasuki users list")
        service.set_password(session, node.context, found.id, new, actor="cli")
    node.close()
    _say(login, new, made=not password_stdin, json_=json_)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    return service.make_password()


def _say(login: str, password: str, *, made: bool, json_: bool) -> None:
    shown = {"login": login} | ({"password": password} if made else {})
    if json_:
        say_json(shown)
    elif made:
        click.echo(f"{login} signs in with the password {password}")
    else:
        click.echo(f"{login} signs in with the password that was given")
