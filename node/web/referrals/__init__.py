"""Referrals in HR's browser: the board of those received, the list of those sent, the rule.

`received` shows the board and one referral, `answers` accepts, declines and says "already known",
`selection` opens profiles and moves through the stages, `hiring` registers the hire; `sent` is the
referrer's side, `rule` the automatic acceptance.
"""

from flask import Blueprint

from node.web.referrals import answers, hiring, received, rule, selection, sent

BLUEPRINTS: tuple[Blueprint, ...] = (
    received.blueprint,
    answers.blueprint,
    selection.blueprint,
    hiring.blueprint,
    sent.blueprint,
    rule.blueprint,
)
