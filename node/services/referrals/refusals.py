"""What cannot be done with a referral, and why."""

from node.refusals import Refusal


class ReferralUnknown(Refusal, code="referral-unknown", status=404):
    """There is no such referral here. It may have been erased."""


class ReferralAnswered(Refusal, code="referral-answered"):
    """This referral has been answered already. Open it again to see the answer."""


class AnswerTooLate(Refusal, code="answer-too-late"):
    """The time for an answer is over, and the person has been told that there was none."""


class ReferralNotAccepted(Refusal, code="referral-not-accepted"):
    """This referral has not been accepted, so there is nothing to do here yet."""


class ReferralHandedOn(Refusal, code="referral-handed-on"):
    """This person has been handed on, so the selection here is over for good."""


class StageUnknown(Refusal, code="stage-unknown", status=422):
    """This is not a stage of the selection. Choose one from the list."""


class StagesInvalid(Refusal, code="stages-invalid", status=422):
    """Each stage needs a common stage and a name of its own, of at most 30 signs; 20 at most."""


class StageInUse(Refusal, code="stage-in-use"):
    """Somebody stands at a stage that would go. Move them on first, then take the stage out."""


class CorrectedTooOften(Refusal, code="corrected-too-often", status=429):
    """Your data was corrected several times today. Please correct it again tomorrow, or ask us."""


class KnownDateInvalid(Refusal, code="known-date-invalid", status=422):
    """The dates of the earlier contact are missing, in the future, or too long ago."""


class KnownTooLate(Refusal, code="known-too-late"):
    """The working days in which “already known” could be said are over: the point stays paid."""


class CapReached(Refusal, code="credit-limit-reached"):
    """Accepting would take this member's account below its credit limit."""


class LetterUnexpected(Refusal, code="letter-unexpected", status=422):
    """The letter does not fit the state of its referral, so nothing was changed."""


class ResumeUnsafe(Refusal, code="resume-unsafe", status=422):
    """The PDF that arrived is none, or holds scripts or other files, so it is not handed out. Ask
    the referring company for another one."""


class ResumeDiffers(Refusal, code="resume-differs"):
    """The PDF that arrived is not the one that the person sent. Ask the referring company."""
