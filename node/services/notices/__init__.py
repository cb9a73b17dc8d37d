"""Notices: people are told the result, kindly, in time, once.  DOMAIN 2.1 R5, R6; 3.3, 3.4, 5.1."""

from node.services.notices.batches import (
    NOTICES_MAX,
    Wish,
    approve,
    cancel,
    change,
    draft,
    get,
    give_back,
    last_sender,
    leave_out,
    request,
    usual_template,
)
from node.services.notices.booking import in_hours, needs_approval, slot
from node.services.notices.letter import Sender
from node.services.notices.recipients import LEFT_OUT, RESULT
from node.services.notices.refusals import (
    ApprovalBySamePerson,
    BatchChanged,
    BatchEmpty,
    BatchNotDraft,
    BatchNotWaiting,
    BatchTooLarge,
    BatchUnknown,
    BookingTooFar,
    CancelTooLate,
    NothingFailed,
    SenderIncomplete,
    ValuesMissing,
)
from node.services.notices.rehearsal import sample, send_test
from node.services.notices.review import Letter, Missing, Review, preview, review
from node.services.notices.sending import resend_failed

__all__ = [
    "LEFT_OUT",
    "NOTICES_MAX",
    "RESULT",
    "ApprovalBySamePerson",
    "BatchChanged",
    "BatchEmpty",
    "BatchNotDraft",
    "BatchNotWaiting",
    "BatchTooLarge",
    "BatchUnknown",
    "BookingTooFar",
    "CancelTooLate",
    "Letter",
    "Missing",
    "NothingFailed",
    "Review",
    "Sender",
    "SenderIncomplete",
    "ValuesMissing",
    "Wish",
    "approve",
    "cancel",
    "change",
    "draft",
    "get",
    "give_back",
    "in_hours",
    "last_sender",
    "leave_out",
    "needs_approval",
    "preview",
    "request",
    "resend_failed",
    "review",
    "sample",
    "send_test",
    "slot",
    "usual_template",
]
