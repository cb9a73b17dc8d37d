"""What is refused on the way of a batch of notices, each with what to do about it."""

from node.refusals import Refusal


class BatchUnknown(Refusal, code="batch-unknown", status=404):
    """These notices do not exist. Choose them from the list."""


class BatchEmpty(Refusal, code="batch-empty", status=422):
    """Nobody in this choice can be sent a notice. Choose people who were not selected and have
    not been told yet."""


class BatchTooLarge(Refusal, code="batch-too-large", status=422):
    """More than 3,000 people are chosen. Choose fewer, and send the rest as a second batch."""


class BatchNotDraft(Refusal, code="batch-not-draft", status=409):
    """These notices are requested or booked already, so they cannot be changed any more."""


class BatchNotWaiting(Refusal, code="batch-not-waiting", status=409):
    """These notices do not wait for approval; somebody may have decided already."""


class BatchChanged(Refusal, code="batch-changed", status=409):
    """The recipients or the text have changed since you looked. Please check them once more."""


class ValuesMissing(Refusal, code="values-missing", status=422):
    """Nothing was sent: for some people a variable of the text has no value. Complete their data
    or choose another template; the people are listed below."""


class ApprovalBySamePerson(Refusal, code="approval-same-person", status=403):
    """You asked for these notices yourself. Another person must approve them."""


class CancelTooLate(Refusal, code="cancel-too-late", status=409):
    """The mails have begun to leave, so they cannot be stopped any more. Nothing was changed."""


class NothingFailed(Refusal, code="nothing-failed", status=409):
    """There is no failed notice to send again."""


class BookingTooFar(Refusal, code="booking-too-far", status=422):
    """Notices can be booked up to 30 days ahead. People should not wait longer for a result."""


class SenderIncomplete(Refusal, code="sender-incomplete", status=422):
    """Enter who signs these notices: name, department, telephone and an e-mail address."""


class NotABounce(Refusal, code="not-a-bounce", status=422):
    """This mail does not report that one mail of this node came back. Nothing was changed."""
