// The second implementation's envelopes and receipts (SPEC §5): HPKE in base mode (RFC 9180) with
// MLKEM768-X25519, HKDF-SHA256 and ChaCha20-Poly1305. ML-KEM-768 alone is not in node's own crypto.

import crypto from 'node:crypto'
import { ml_kem768 as mlkem } from '@noble/post-quantum/ml-kem.js'
import * as tasuki from './tasuki.js'

const { Refusal, b64, fields, require, text, unb64, utf8, whole } = tasuki

// --- HPKE. ---

const MLKEM_PUBLIC = 1184
const MLKEM_CIPHERTEXT = 1088
const MLKEM_SEED = 64
const TAG = 16
// KEM 0x647a, KDF 0x0001, AEAD 0x0003.
const SUITE = Buffer.concat([utf8('HPKE'), Buffer.from('647a00010003', 'hex')])

const hmac = (key, ...parts) =>
  crypto.createHmac('sha256', key).update(Buffer.concat(parts)).digest()
const labeledExtract = (salt, label, ikm) => hmac(salt, utf8('HPKE-v1'), SUITE, utf8(label), ikm)
function labeledExpand(prk, label, info, length) {
  // One block of HKDF-Expand is enough: nothing here is longer than 32 bytes.
  const head = Buffer.from([0, length])
  const block = hmac(prk, head, utf8('HPKE-v1'), SUITE, utf8(label), info, Buffer.from([1]))
  return block.subarray(0, length)
}
function keySchedule(secret, info) {
  const empty = Buffer.alloc(0)
  const context = Buffer.concat([Buffer.from([0]), labeledExtract(empty, 'psk_id_hash', empty),
    labeledExtract(empty, 'info_hash', info)])
  const prk = labeledExtract(secret, 'secret', empty)
  return [labeledExpand(prk, 'key', context, 32), labeledExpand(prk, 'base_nonce', context, 12)]
}
// The combiner of X-Wing: both secrets, and what binds them to this X25519 exchange.
const combine = (ofMlkem, ofX25519, ephemeral, publicX) =>
  crypto.createHash('sha3-256')
    .update(Buffer.concat([ofMlkem, ofX25519, ephemeral, publicX, utf8('\\.//^\\')])).digest()
const exchange = (privateKey, publicKey) => crypto.diffieHellman({ privateKey, publicKey })

export function seal(sealingKey, plaintext, info) {
  const publicX = sealingKey.subarray(MLKEM_PUBLIC)
  const { cipherText, sharedSecret } = mlkem.encapsulate(sealingKey.subarray(0, MLKEM_PUBLIC))
  const pair = crypto.generateKeyPairSync('x25519')
  const ephemeral = tasuki.rawOf(pair.publicKey)
  const shared = exchange(pair.privateKey, tasuki.xPublic(publicX))
  const [key, nonce] = keySchedule(combine(sharedSecret, shared, ephemeral, publicX), info)
  const cipher = crypto.createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG })
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return Buffer.concat([cipherText, ephemeral, sealed, cipher.getAuthTag()])
}

// sealingPrivate: 64 bytes of ML-KEM seed, 32 of X25519.
export function unseal(sealingPrivate, ciphertext, info) {
  try {
    const { secretKey } = mlkem.keygen(sealingPrivate.subarray(0, MLKEM_SEED))
    const privateX = tasuki.xPrivate(sealingPrivate.subarray(MLKEM_SEED))
    const ofMlkem = mlkem.decapsulate(ciphertext.subarray(0, MLKEM_CIPHERTEXT), secretKey)
    const ephemeral = ciphertext.subarray(MLKEM_CIPHERTEXT, MLKEM_CIPHERTEXT + 32)
    const shared = exchange(privateX, tasuki.xPublic(ephemeral))
    const publicX = tasuki.rawOf(crypto.createPublicKey(privateX))
    const [key, nonce] = keySchedule(combine(ofMlkem, shared, ephemeral, publicX), info)
    const opener = crypto.createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG })
    opener.setAuthTag(ciphertext.subarray(-TAG))
    const sealed = ciphertext.subarray(MLKEM_CIPHERTEXT + 32, -TAG)
    return Buffer.concat([opener.update(sealed), opener.final()])
  } catch {
    throw new Refusal('cannot-decrypt')
  }
}

// --- Envelopes. ---

const infoOf = ({ alliance, epoch, from, to, id, class: kindClass }) =>
  utf8(['tasuki/v1/envelope', alliance, epoch, from, to, id, kindClass].join('\n'))

// outside: { alliance, class, deadline, epoch, from, id, to }.
export function sealDocument(document, sealingKey, outside) {
  const { kind, signatures } = document
  const { from, to, id } = outside
  const header = { from, id, kind, signatures: tasuki.signaturesToJson(signatures), to }
  const inside = Buffer.concat([utf8(`${JSON.stringify(header)}\n`), document.payload])
  const ciphertext = b64(seal(sealingKey, inside, infoOf(outside)))
  return utf8(JSON.stringify({
    ...outside, ciphertext, sealing_key: tasuki.sealingKeyid(sealingKey) }))
}

export function parseEnvelope(bytes) {
  const outside = fields(tasuki.parseJson(bytes, { max: 2 ** 22, depth: 2 }), {
    alliance: text(tasuki.NAME), ciphertext: text(/^/), class: text(tasuki.NAME),
    deadline: tasuki.TIME, epoch: whole(1, 1000000), from: text(tasuki.NAME), id: text(tasuki.ID),
    sealing_key: text(tasuki.KEYID), to: text(tasuki.NAME),
  })
  return { ...outside, ciphertext: unb64(outside.ciphertext), bytes }
}
export const envelopeDigest = ({ bytes }) => tasuki.sha256(utf8('tasuki/v1/envelope\n'), bytes)

export function checkAddressing(envelope, { alliance, from, to }) {
  require(envelope.from === from, 'sender-mismatch')
  require(envelope.to === to && envelope.alliance === alliance, 'recipient-mismatch')
}

export function openEnvelope(envelope, { keyid, secret }) {
  require(envelope.sealing_key === keyid, 'cannot-decrypt')
  const inside = unseal(secret, envelope.ciphertext, infoOf(envelope))
  const end = inside.indexOf('\n')
  require(end >= 0, 'document-invalid', 'no header line')
  const any = () => true
  const header = fields(tasuki.parseJson(inside.subarray(0, end), { max: 16384 }),
    { from: any, id: any, kind: any, signatures: any, to: any })
  require(header.from === envelope.from, 'sender-mismatch')
  require(header.to === envelope.to && header.id === envelope.id, 'recipient-mismatch')
  return tasuki.fromClaim(header.kind, inside.subarray(end + 1), header.signatures)
}

// --- Receipts. ---

export function verifyReceipt(document, envelope, keys) {
  const signer = tasuki.verifyDocument(document, 'receipt', keys)
  const receipt = fields(tasuki.parseJson(document.payload, { max: 16384 }), {
    digest: text(tasuki.KEYID), envelope: text(tasuki.ID), from: text(tasuki.NAME),
    incarnation: whole(0, 1000000), received_at: tasuki.TIME, to: text(tasuki.NAME),
  })
  const same = signer === envelope.to && receipt.envelope === envelope.id &&
    receipt.digest === b64(envelopeDigest(envelope)) &&
    receipt.from === envelope.from && receipt.to === envelope.to
  require(same, 'receipt-invalid')
  return receipt
}
