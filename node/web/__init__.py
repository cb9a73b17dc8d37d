"""HR's pages: list, filter, bulk choice, 確認画面, 完了画面. How to build one: README.md."""

from flask import Blueprint

from node.web import dashboard, sign_in, users

BLUEPRINTS: tuple[Blueprint, ...] = (
    sign_in.blueprint,
    dashboard.blueprint,
    users.blueprint,
)
