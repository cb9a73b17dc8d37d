// Sends a referral to another member's node, and proves what it answers:
//   node refer.js < {"charter": ..., "as": "aoba", "seed": ..., "to": "biwa", "referral": {...}}
// The last line is JSON: what was proven, step by step.

import crypto from 'node:crypto'
import http from 'node:http'
import fs from 'node:fs'
import * as envelopes from './envelopes.js'
import * as tasuki from './tasuki.js'

const { b64, require, unb64, utf8 } = tasuki
const ENVELOPES = '/peer/v1/envelopes'
const given = JSON.parse(fs.readFileSync(0, 'utf8'))
const now = () => Math.floor(Date.now() / 1000)

// The charter is trusted by its founders' signatures, each under the identity key that it lists.
const document = tasuki.documentFromJson(given.charter)
const charter = tasuki.parseJson(document.payload, { max: 2 ** 20 })
const signed = new Map(document.signatures.map(({ keyid, value }) => [keyid, value]))
for (const { identity_key: identity } of charter.members) {
  const raw = unb64(identity)
  const signature = signed.get(tasuki.keyid(raw))
  require(document.kind === 'charter' && signature, 'charter-invalid')
  tasuki.checkSignature(raw, tasuki.pae('charter', document.payload), signature)
}
const members = new Map(charter.members.map((member) => [member.id, member]))
const keys = new Map(charter.members.map(({ id, signing_key: key }) =>
  [tasuki.keyid(unb64(key)), { member: id, raw: unb64(key) }]))
const keyOf = (member, keyid) => {
  require(keys.get(keyid)?.member === member, 'key-unknown')
  return keys.get(keyid).raw
}

const peer = members.get(given.to)
const authority = peer.url.split('//')[1]
const key = tasuki.signingKey(unb64(given.seed))
const context = { alliance: charter.alliance, epoch: charter.version, from: given.as, to: given.to }

// One signed call; its answer is proven to be the peer's, and to this very request.
function call(body, change = (headers) => headers) {
  const nonce = crypto.randomBytes(16)
  const ours = { authority, path: ENVELOPES, body, context, key, created: now(), nonce }
  const headers = change(tasuki.signRequest(ours))
  const request = tasuki.parseRequest({ ...ours, method: 'POST', headers: Object.entries(headers) })
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', headers: { ...headers, 'Content-Length': body.length } }
    const sent = http.request(peer.url + ENVELOPES, options, (answer) => {
      const parts = []
      answer.on('data', (part) => parts.push(part))
      answer.on('error', reject)
      answer.on('end', () => {
        try {
          const content = Buffer.concat(parts)
          const pairs = Object.entries(answer.headers)
          const { statusCode: status } = answer
          tasuki.verifyResponse({ status, headers: pairs, body: content, request, keyOf })
          resolve({ status, content })
        } catch (error) {
          reject(error)
        }
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
const code = ({ content }) => JSON.parse(content.toString()).code

const payload = utf8(JSON.stringify(given.referral))
const outside = { alliance: charter.alliance, class: 'referral', deadline: now() + 3600,
  epoch: charter.version, from: given.as, id: crypto.randomBytes(16).toString('hex'),
  to: given.to }
const letter = tasuki.sign('referral', payload, key)
const sealed = envelopes.sealDocument(letter, unb64(peer.sealing_key), outside)
const envelope = envelopes.parseEnvelope(sealed)

const first = await call(sealed)
require(first.status === 200, code(first))
const receipt = envelopes.verifyReceipt(tasuki.parseDocument(first.content), envelope, keys)

// The same bytes under another nonce: the stored receipt, byte for byte.
const again = await call(sealed)
// Other bytes under the same number.
const other = envelopes.sealDocument(letter, unb64(peer.sealing_key), outside)
const conflict = await call(other)
// What was not signed with aoba's key, though it says so: refused, and the refusal is signed.
const stranger = tasuki.signingKey(crypto.randomBytes(32))
const forged = await call(sealed, (headers) => ({ ...headers, Signature:
  `tasuki=:${stranger.sign(utf8('something')).toString('base64')}:` }))

console.log(JSON.stringify({
  envelope: outside.id,
  digest: b64(envelopes.envelopeDigest(envelope)),
  receipt,
  same_receipt: again.status === 200 && again.content.equals(first.content),
  conflict: [conflict.status, code(conflict)],
  forged: [forged.status, code(forged)],
}))
