"""Consents: from a private link to what the law calls 本人の同意, partner by partner.  DOMAIN 3.1.

`drafts` keep what is chosen and typed, `codes` prove the mailbox, `answers` and `profiles` make the
card and the profile, `resumes` judge a PDF, `previews` show what would be sent, `giving` sends it,
`receipts` are what the person keeps, `status` is what he or she can look up afterwards.
"""

from node.services.consents.answers import (
    ABOUT,
    ANONYMOUS,
    APPLICANT_TYPES,
    CORRECTION,
    EXPERIENCE,
    FLUENCIES,
    PREFECTURES,
    ROWS,
    ROWS_MAX,
    Answers,
    names_its_author,
)
from node.services.consents.attachments import attach, detach
from node.services.consents.codes import Outcome, is_under_way
from node.services.consents.codes import check as check_code
from node.services.consents.drafts import (
    Draft,
    answer,
    applicant_of,
    begin,
    choose,
    decide,
    edit,
    has_refused_contact,
    load,
    offered,
    open_link,
    refuse_contact,
)
from node.services.consents.giving import Given, give, hash_of, mail_code, send_code, verify_code
from node.services.consents.previews import Preview, facts_of, preview, resume_of, stage_of
from node.services.consents.profiles import REACHED_STAGES
from node.services.consents.receipts import ITEM_NAMES, item_list, status_url, text_version
from node.services.consents.refusals import (
    CodeTooMany,
    CodeTooSoon,
    ConsentGiven,
    ConsentNotThere,
    ContactNotVerified,
    LinkNotForYou,
    NoPartnerChosen,
    PageChanged,
    PartnerNotOffered,
    ProfileIncomplete,
    ResumeTooLarge,
)
from node.services.consents.resumes import Resume
from node.services.consents.resumes import check as check_resume
from node.services.consents.status import PartnerStatus, Status, given_by_token
from node.services.consents.status import find as find_status
from node.services.consents.status import token_of as status_token_of
from node.services.consents.unanswered import end_unanswered
from node.services.consents.wording import Remark, remarks

__all__ = [
    "ABOUT",
    "ANONYMOUS",
    "APPLICANT_TYPES",
    "CORRECTION",
    "EXPERIENCE",
    "FLUENCIES",
    "ITEM_NAMES",
    "PREFECTURES",
    "REACHED_STAGES",
    "ROWS",
    "ROWS_MAX",
    "Answers",
    "CodeTooMany",
    "CodeTooSoon",
    "ConsentGiven",
    "ConsentNotThere",
    "ContactNotVerified",
    "Draft",
    "Given",
    "LinkNotForYou",
    "NoPartnerChosen",
    "Outcome",
    "PageChanged",
    "PartnerNotOffered",
    "PartnerStatus",
    "Preview",
    "ProfileIncomplete",
    "Remark",
    "Resume",
    "ResumeTooLarge",
    "Status",
    "answer",
    "applicant_of",
    "attach",
    "begin",
    "check_code",
    "check_resume",
    "choose",
    "decide",
    "detach",
    "edit",
    "end_unanswered",
    "facts_of",
    "find_status",
    "give",
    "given_by_token",
    "has_refused_contact",
    "hash_of",
    "is_under_way",
    "item_list",
    "load",
    "mail_code",
    "names_its_author",
    "offered",
    "open_link",
    "preview",
    "refuse_contact",
    "remarks",
    "resume_of",
    "send_code",
    "stage_of",
    "status_token_of",
    "status_url",
    "text_version",
    "verify_code",
]
