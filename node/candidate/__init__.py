"""The pages behind a private link: phone first, no user, and a GET never changes anything."""

from flask import Blueprint

BLUEPRINTS: tuple[Blueprint, ...] = ()
