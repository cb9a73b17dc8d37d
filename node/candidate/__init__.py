"""The pages behind a private link: phone first, no user, and a GET never changes anything.

`arrival` is where the link leads, `choices`, `contact`, `profile` and `agreement` are the steps to
a consent, `status` is where the receipt leads, `interest` the question that may stand there,
`rights` what can be asked for from there; `unsubscribing` is behind the mail program's own button.
Who came is remembered in the browser's own cookie (`visit`); what was entered, on the server.
"""

from flask import Blueprint

from node.candidate import (
    agreement,
    arrival,
    choices,
    contact,
    endings,
    interest,
    profile,
    rights,
    status,
    unsubscribing,
    words,
)

BLUEPRINTS: tuple[Blueprint, ...] = (
    arrival.blueprint,
    choices.blueprint,
    contact.blueprint,
    profile.blueprint,
    agreement.blueprint,
    status.blueprint,
    interest.blueprint,
    rights.blueprint,
    unsubscribing.blueprint,
)

for room in BLUEPRINTS:
    endings.install(room)
    room.context_processor(lambda: {"step_names": words.steps, "licences_of": words.licences_of})
for room in (status.blueprint, interest.blueprint, rights.blueprint):
    room.before_request(status.speak_as_agreed)
