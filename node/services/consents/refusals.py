"""What is refused on the way to a consent, each with the sentence an applicant reads.

The reader is a person who never asked for software: say what happened, and what to do now.
"""

from node.refusals import Refusal


class LinkNotForYou(Refusal, code="link-not-open", status=410):
    """This link cannot be used. Please ask the company that sent it to you."""


class ConsentGiven(Refusal, code="consent-given", status=409):
    """You have already agreed and sent your profile, so nothing can be changed here any more."""


class ConsentNotThere(Refusal, code="consent-not-there", status=404):
    """There is no such page. Please open the link in our mail once more."""


class PartnerNotOffered(Refusal, code="partner-not-offered", status=422):
    """One of the companies is no longer offered. Please choose again."""


class NoPartnerChosen(Refusal, code="no-partner-chosen", status=422):
    """Please tick at least one company, or close this page if none suits you."""


class ProfileIncomplete(Refusal, code="profile-incomplete", status=422):
    """Something is still missing in your profile. Please look at the marked fields."""


class ContactNotVerified(Refusal, code="contact-not-verified", status=403):
    """Please enter the code that we send you by mail before you go on."""


class CodeTooSoon(Refusal, code="code-too-soon", status=429):
    """A code is on its way already. Please wait a minute before you ask for another one."""


class CodeTooMany(Refusal, code="code-too-many", status=429):
    """Too many codes were asked for. Please try again later; what you entered is kept."""


class PageChanged(Refusal, code="page-changed", status=409):
    """What would be sent has changed since you looked at it. Please check it once more."""


class ResumeTooLarge(Refusal, code="resume-too-large", status=413):
    """The file is larger than 5 MB. Please choose a smaller PDF."""


class ResumeNotPDF(Refusal, code="resume-not-pdf", status=422):
    """The file is not a PDF. Please save your document as a PDF and choose it again."""


class ResumeArchive(Refusal, code="resume-archive", status=422):
    """The file is an archive and not a PDF. Please choose the PDF itself."""


class ResumeEncrypted(Refusal, code="resume-encrypted", status=422):
    """The PDF is protected by a password. Please save it without one and choose it again."""


class ResumeActive(Refusal, code="resume-active", status=422):
    """The PDF holds scripts or other files inside. Please print your document to a new PDF."""


class ResumeUnreadable(Refusal, code="resume-unreadable", status=422):
    """The PDF cannot be read; perhaps it is damaged. Please save it anew and choose it again."""


class ResumePages(Refusal, code="resume-pages", status=422):
    """The PDF has more than 100 pages. Please choose a shorter one."""
