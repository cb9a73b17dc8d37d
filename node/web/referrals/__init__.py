"""Referrals in HR's browser: the board of those received, the list of those sent, the rule.

`received` shows the list and one referral, `answers` accepts, declines and says "already known",
`board` shows the selection stage by stage and `stages` sets those up,
`selection` opens profiles and moves through the stages, `hiring` registers the hire, `handing`
hands on whom we do not hire; `sent` is the referrer's side, `rule` the automatic acceptance.
"""

from flask import Blueprint

from node.web.referrals import (
    answers,
    board,
    handing,
    hiring,
    received,
    rule,
    selection,
    sent,
    stages,
)

BLUEPRINTS: tuple[Blueprint, ...] = (
    received.blueprint,
    board.blueprint,
    stages.blueprint,
    answers.blueprint,
    selection.blueprint,
    hiring.blueprint,
    handing.blueprint,
    sent.blueprint,
    rule.blueprint,
)
