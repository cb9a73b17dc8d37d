"""HR's pages: list, filter, bulk choice, 確認画面, 完了画面. How to build one: README.md."""

from flask import Blueprint

from node.web import (
    applicant_imports,
    applicants,
    charter,
    dashboard,
    erasures,
    hires,
    notice_course,
    notice_templates,
    notice_untold,
    notices,
    peers,
    points,
    records,
    referrals,
    retention,
    sign_in,
    users,
)

BLUEPRINTS: tuple[Blueprint, ...] = (
    sign_in.blueprint,
    dashboard.blueprint,
    applicants.blueprint,
    applicant_imports.blueprint,
    notice_untold.blueprint,
    notices.blueprint,
    notice_course.blueprint,
    notice_templates.blueprint,
    *referrals.BLUEPRINTS,
    hires.blueprint,
    erasures.blueprint,
    records.blueprint,
    retention.blueprint,
    points.blueprint,
    peers.blueprint,
    charter.blueprint,
    users.blueprint,
)
