"""The recovery sheet: a member's identity key on paper, in groups that can be typed back.  PEER 4.

The identity key signs charters and nothing else; the node does not keep it. The sheet carries it
as a code: 32 bytes and a checksum in Crockford's base32, which has no letters that look alike.
"""

import hashlib

_SIGNS = "0123456789abcdefghjkmnpqrstvwxyz"
_ALIKE = str.maketrans({"o": "0", "i": "1", "l": "1"})
SEED_BYTES = 32
# 24 bits: one typing mistake in sixteen million goes unnoticed here, and none at the charter.
CHECK_BYTES = 3
GROUP_SIGNS = 4


class RecoveryCodeWrong(Exception):
    """The recovery code has a typing mistake: compare it with the sheet, group by group."""


def write_code(seed: bytes) -> str:
    """The code of a seed of 32 bytes: fourteen groups of four signs."""
    data = seed + _check(seed)
    number = int.from_bytes(data, "big")
    signs = []
    for _ in range(len(data) * 8 // 5):
        number, place = divmod(number, 32)
        signs.append(_SIGNS[place])
    text = "".join(reversed(signs))
    return "-".join(text[at : at + GROUP_SIGNS] for at in range(0, len(text), GROUP_SIGNS))


def parse_code(code: str) -> bytes:
    """The seed of a code, however its groups are written; RecoveryCodeWrong on a mistake."""
    text = "".join(code.lower().translate(_ALIKE).replace("-", " ").split())
    number = 0
    for sign in text:
        place = _SIGNS.find(sign)
        if place < 0:
            raise RecoveryCodeWrong(f"there is no sign {sign!r} in a code")
        number = number * 32 + place
    length = SEED_BYTES + CHECK_BYTES
    if len(text) != length * 8 // 5 or number >> (length * 8):
        raise RecoveryCodeWrong(f"a code has {length * 8 // 5} signs, this has {len(text)}")
    data = number.to_bytes(length, "big")
    seed, check = data[:SEED_BYTES], data[SEED_BYTES:]
    if check != _check(seed):
        raise RecoveryCodeWrong
    return seed


def _check(seed: bytes) -> bytes:
    return hashlib.sha256(b"tasuki/v1/recovery" + seed).digest()[:CHECK_BYTES]


def sheet(member: str, legal_name: str, code: str, fingerprint: str) -> str:
    """The sheet to print, in both languages."""
    return f"""襷 Tasuki — 復旧シート / Recovery sheet

会員 / member         {member}  {legal_name}
身分鍵の指紋 / fingerprint of the identity key
    {fingerprint}

復旧コード / recovery code
    {code}

このコードは、規約への署名と、ノードをすべて失ったときの復旧にだけ使います。
印刷して金庫に保管し、このファイルは削除してください。だれにも送らないでください。

This code signs the alliance's charter, and brings the member back after a total loss.
Print it, put it in the safe and delete this file. Never send it to anybody.
"""
