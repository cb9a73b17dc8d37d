"""Every bound of the protocol: the unit in its name, the reason beside it.  SPEC Limits."""

# --- JSON. ---

# The largest integer that every JSON implementation reads exactly (RFC 8259 section 6).
JSON_INTEGER_MAX = 2**53 - 1
# Our deepest document nests six levels (charter > members > member > licences > licence); an
# attacker's nests 100,000. Twice and a half of the first leaves room and stays shallow.
JSON_DEPTH_MAX = 16

# --- Names. ---

# A member's id stands in headers, accounts and file names: one DNS label, lower case, no dots.
MEMBER_ID_PATTERN = r"[a-z][a-z0-9-]{0,31}"
# An alliance's id stands in the same places.
ALLIANCE_ID_PATTERN = MEMBER_ID_PATTERN
# What the pattern says, for whoever counts bytes.
MEMBER_ID_CHARS_MAX = 32
# A kind is a word of the glossary; the longest today has 15 characters.
KIND_PATTERN = r"[a-z][a-z0-9-]{0,31}"
# Ids of envelopes, entries, referrals: 128 random bits or more in hex or base64url, with room for
# other makers' UUIDs and ULIDs.
ID_PATTERN = r"[A-Za-z0-9_-]{16,64}"
# What the pattern says, for whoever counts bytes.
ID_CHARS_MAX = 64
# More members than any alliance we know of; the quorum table is drawn for ten.
MEMBERS_MAX = 64
# Every founder signs the charter; nothing else carries more than one or two signatures.
SIGNATURES_MAX = 64

# --- Texts and numbers in documents. ---

# A company's or a person's name; the longest registered company name in Japan has 137 characters.
NAME_CHARS_MAX = 200
# One line of a form: an address, a title, a URL.
LINE_CHARS_MAX = 500
# A free text of several paragraphs, as on a 職務経歴書.
TEXT_CHARS_MAX = 4000
# Unix seconds up to a day before the year 9999 ends, where Python's dates end: one more day, and
# the moment could not be shown east of Greenwich.
TIME_MAX = 253_402_214_399
# Ten years: no period that the law or a contract names here is longer.
DAYS_MAX = 3660

# --- HTTP. ---

# One envelope of the largest kind below, with the JSON around it.
PEER_BODY_BYTES_MAX = 8 * 1024 * 1024
# Where we stand in each account: 64 names of 32 characters and numbers of 13 digits are 4 KiB; the
# rest is room to say what is wrong with the others.
PULL_ASKED_BYTES_MAX = 128 * 1024
# What an answer of certificates or an envelope's receipt needs; the puller pages by this.
PEER_RESPONSE_BYTES_MAX = 8 * 1024 * 1024
# A path of ours has about 30 characters.
PATH_CHARS_MAX = 128
# Our Signature-Input has about 330 characters (a response 480). A proxy may add one of its own.
SIGNATURE_HEADER_CHARS_MAX = 4096
# Ours and a few of proxies on the way; 300 labels are an attack on the parser.
SIGNATURE_LABELS_MAX = 8
# 16 random bytes cannot collide within the life of a nonce, and nobody can guess one.
NONCE_BYTES = 16
# Long enough for a slow mobile link, short enough that the table of nonces stays small.
SIGNATURE_LIFETIME_S = 60
# What other implementations may choose as a lifetime at most.
SIGNATURE_LIFETIME_S_MAX = 300
# NTP keeps machines within one second; a forgotten virtual machine drifts by minutes.
CLOCK_SKEW_S_MAX = 30
# A nonce outlives its signature by the skew both ways and a margin of one more.
NONCE_KEPT_S = 90

# --- Documents and envelopes. ---

# An attached CV of 5 MB travels apart, in chunks; a profile as JSON Resume stays far below.
DOCUMENT_BYTES_MAX = 2 * 1024 * 1024
# The largest document, sealed and in base64url (4/3), with the JSON around it, and room.
ENVELOPE_BYTES_MAX = 4 * 1024 * 1024
# Five short fields, and a signature of every member at 150 bytes.
ENVELOPE_HEADER_BYTES_MAX = 16 * 1024
# Receipts carry seven short fields; thirty-two times as much as they need.
RECEIPT_BYTES_MAX = 16 * 1024
# Five short fields.
HELLO_BYTES_MAX = 4 * 1024
# A version, a build and a maker's name; shown on the peer page.
RELEASE_CHARS_MAX = 40
# A problem document is a handful of sentences; one with newer charters is bounded by the response.
PROBLEM_BYTES_MAX = 256 * 1024
# Two weeks: longer than Golden Week or New Year at a member whose node is down.
ENVELOPE_DEADLINE_S = 14 * 24 * 3600
# No sender may ask a peer to remember an open envelope for longer than it keeps sent ones.
ENVELOPE_DEADLINE_S_MAX = 35 * 24 * 3600

# --- Delivery. ---

# The first retry comes while a person still looks at the screen.
RETRY_FIRST_S = 2
# One hour: what was healed is used again within two hours at the most (RELIABILITY F6).
RETRY_S_MAX = 3600
# A skewed clock is mended by a person, so asking more often than this helps nobody.
RETRY_SLOWLY_S = 15 * 60
# Longer than one attempt can take: connect, read, and a slow disk on either side.
PROBE_TIMEOUT_S = 60
# A proxy that rewrites bodies does it every time; a flipped bit does not.
DIGEST_TRIES_MAX = 3
# Failures of transport in a row after which a peer counts as away: a restart costs two or three.
BREAKER_FAILURES = 5

# --- The ledger (LEDGER 3). ---

# 128 entries share the cost of an order well; twice that leaves room for a busy minute.
ORDER_ENTRIES_MAX = 256
# 256 entries of about 180 bytes, a vector of all members, promises, and base64 around them.
ORDER_BYTES_MAX = 256 * 1024
# An order in base64url and a vote of every member.
CERTIFICATE_BYTES_MAX = 512 * 1024
# A page of single-entry certificates of about 3 KB; with full ones, PULL_BYTES_MAX ends it first.
PULL_CERTIFICATES_MAX = 1000
# One answer to a pull: what a node holds in memory for one peer at a time.
PULL_BYTES_MAX = 8 * 1024 * 1024
# One order a second for 30,000 years.
SEQUENCE_MAX = 10**12
# An incarnation is a restore: one a day for 2,700 years.
INCARNATION_MAX = 1_000_000
# Random, so that two clones never draw the same; nobody has to be kept from guessing it.
ATTEMPT_BYTES = 16
# A promise is eight short fields, about 350 bytes; four times as much.
FENCE_BYTES_MAX = 2 * 1024
# Promises of all 63 others in each of eight incarnations of one place that was never settled.
WARRANT_PROMISES_MAX = 512
# What they had locked: one order an incarnation, and a few more of an owner that signed several.
WARRANT_ORDERS_MAX = 16
# Sixteen orders of 256 entries at 62 KB in base64url, and 512 promises at 700 bytes.
WARRANT_BYTES_MAX = 2 * 1024 * 1024
# An order, the certificate of the one before it, and what allows the order's incarnation.
ORDER_REQUEST_BYTES_MAX = 2 * CERTIFICATE_BYTES_MAX + WARRANT_BYTES_MAX
# "Show me what you hold of my account": an empty object.
STANDING_ASKED_BYTES_MAX = 64
# Two orders whole, in base64url.
EVIDENCE_BYTES_MAX = 768 * 1024
# One may have been certified and not be known to anybody asked, and one may be voted on behind it.
ABSTAINED_SEQUENCES = 2
# A free hire costs ten; no single entry of this alliance's business is near a million.
POINTS_MAX = 1_000_000

# --- The charter (LEDGER 5). ---

# 64 members with licences, addresses and four keys each, and a post-quantum sealing key apiece.
CHARTER_BYTES_MAX = 1024 * 1024
# One change an hour for a hundred years.
VERSION_MAX = 1_000_000
# 64 members, and seven times as many that left: an account is never forgotten.
ACCOUNTS_MAX = 512
# A version of its own size in base64url (4/3) within another (4/3), a cut, and two proofs.
DECREE_BYTES_MAX = 2 * 1024 * 1024 + 256 * 1024
# A change a month for twenty years and a dozen in a busy one, while members are few and small.
CHAIN_BYTES_MAX = 64 * 1024 * 1024
# The same bound in versions, so that a file of tiny ones cannot keep a verifier busy.
CHAIN_VERSIONS_MAX = 10_000
# Approving, taking back and approving again, once a minute for as long as a draft can live.
APPROVAL_NUMBER_MAX = 1_000_000
# The largest whole number there is: raising it by the step below, ten times a second, takes years.
BALLOT_MAX = JSON_INTEGER_MAX
# How far one request may raise a ballot. A liar that could take the last number at one stroke would
# stop the alliance for ever; who lags behind by more is asked in steps.
BALLOT_STEP_MAX = 1_000_000
# A vector, a digest per account and the name of a charter: under 16 KiB with 64 members.
REPORT_BYTES_MAX = 64 * 1024
# A draft and an approval of every member at 500 bytes, in base64url twice over.
BALLOT_FENCE_BYTES_MAX = 4 * 1024 * 1024
# A draft, a charter, a report of every member and the open orders; what a peer takes as one body.
PROPOSAL_BYTES_MAX = PEER_BODY_BYTES_MAX
# The open order of each of 64 accounts, and three more of each owner that signed several at once.
PROPOSAL_ORDERS_MAX = 256
# An approval, a suspension, a block: a handful of short fields.
MEASURE_BYTES_MAX = 4 * 1024
# Three days: long enough for a decree over a weekend, short enough that two cannot shut one out.
SUSPENSION_S = 72 * 3600
# Five short fields in base64url, and a signature of every member at 150 bytes.
SUSPENSION_BYTES_MAX = 16 * 1024
# Of one signer and about one member: its own, and one that another wrote in the same moment.
SUSPENSIONS_OPEN_MAX = 2
# A week: two telephone calls and a board's signature, as members found companies together.
INVITATION_S = 7 * 24 * 3600
# 128 bits cannot be guessed within a week, nor within any other time.
INVITATION_SECRET_BYTES = 16
# A member card with its licences and two signatures, in base64url.
JOIN_REQUEST_BYTES_MAX = 64 * 1024
# ML-KEM-768 (1184 bytes) and X25519 (32 bytes), one after the other.
SEALING_KEY_BYTES = 1216
# A staffing group holds a permission or notification of each kind; there are fewer than ten.
LICENCES_MAX = 20
# Steps of a refund table, as 職業紹介 contracts print it: by months, at most a year or two.
REFUND_ROWS_MAX = 24

# --- Profiles (DOMAIN 6.1). ---

# A profile with every section full of one-line rows stays below it.
PROFILE_BYTES_MAX = 512 * 1024
# Rows of one section (jobs, schools, certificates): more than a working life fills.
PROFILE_ROWS_MAX = 50
# An anonymous card names the main skills, not all of them: the more, the less anonymous.
CARD_SKILLS_MAX = 20
# A PDF as applicants make it; a scan of many pages is refused in words they understand.
ATTACHMENT_BYTES_MAX = 5 * 1024 * 1024
# One chunk fits into an envelope twice over after base64.
ATTACHMENT_CHUNK_BYTES = 1024 * 1024
# ATTACHMENT_BYTES_MAX in chunks, and one more for what encryption adds.
ATTACHMENT_CHUNKS_MAX = 6
