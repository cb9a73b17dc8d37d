"""The consent receipt: it reads back what was written, and refuses what it does not know."""

import json

import pytest

from protocol import ConsentParty, ConsentPurpose, ConsentReceipt, errors, strictjson

AOBA = ConsentParty(
    "aoba", "青葉システム株式会社", "東京都港区", "代表取締役 青葉 進", "03-0000-0001", "JP", ()
)
BRIDGE = ConsentParty(
    "bridge",
    "キャリアブリッジ株式会社",
    "東京都",
    "橋本 渉",
    "03-0000-0004",
    "JP",
    ("13-ユ-999901",),
)
RECEIPT = ConsentReceipt(
    id="0123456789abcdef",
    language="ja",
    given_at=1_800_000_000,
    principal="fedcba9876543210",
    public_key="A" * 43,
    controller=AOBA,
    policy_url="",
    purposes=(
        ConsentPurpose(BRIDGE, "採用選考", ("card", "name"), "選考終了から180日後まで", False),
    ),
    page_hash="0" * 64,
    text_version="2026-11.1",
    network="192.0.2.0/24",
)


def changed(**members: object) -> bytes:
    return strictjson.encode({**json.loads(RECEIPT.encode()), **members})


def test_a_receipt_reads_back_what_was_written() -> None:
    assert ConsentReceipt.parse(RECEIPT.encode()) == RECEIPT


def test_its_members_are_those_of_the_kantara_receipt() -> None:
    content = json.loads(RECEIPT.encode())
    assert {
        "version",
        "jurisdiction",
        "consentTimestamp",
        "collectionMethod",
        "consentReceiptID",
        "publicKey",
        "language",
        "piiPrincipalId",
        "piiControllers",
        "policyUrl",
        "services",
        "sensitive",
        "spiCat",
    } <= set(content)
    (purpose,) = content["services"][0]["purposes"]
    assert purpose["thirdPartyName"] == BRIDGE.name
    assert purpose["consentType"] == "EXPLICIT"


@pytest.mark.parametrize(
    "members",
    [
        {"name": "髙橋"},
        {"jurisdiction": "EU"},
        {"status": "withdrawn"},
        {"consentReceiptID": "short"},
        {"consentTimestamp": -1},
        {"spiCat": ["health"]},
        {"sensitive": True},
        {"sensitive": 0},
        {"piiControllers": [None]},
        {"services": [{"service": "referral", "purposes": [{}]}]},
        {"evidence": {"ipTruncated": "", "pageTextSha256": "0", "uiVersion": "1"}},
    ],
)
def test_a_receipt_that_says_something_else_is_refused(members: dict[str, object]) -> None:
    with pytest.raises(errors.DocumentInvalid):
        ConsentReceipt.parse(changed(**members))


@pytest.mark.parametrize("member", sorted(json.loads(RECEIPT.encode())))
def test_a_receipt_without_one_of_its_members_is_refused(member: str) -> None:
    content = json.loads(RECEIPT.encode())
    del content[member]
    with pytest.raises(errors.DocumentInvalid):
        ConsentReceipt.parse(strictjson.encode(content))


@pytest.mark.parametrize("many", [0, 2])
def test_a_receipt_has_one_controller(many: int) -> None:
    with pytest.raises(errors.DocumentInvalid):
        ConsentReceipt.parse(changed(piiControllers=[AOBA.to_json()] * many))
