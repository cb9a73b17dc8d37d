// Runs the vectors of protocol/vectors/ through the second implementation, layer by layer:
//   node vectors.js FOLDER
// The last line is JSON: how many of each subject were run, and what came out otherwise.

import fs from 'node:fs'
import path from 'node:path'
import * as envelopes from './envelopes.js'
import * as tasuki from './tasuki.js'

const folder = process.argv[2]
const read = (file) => JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8'))
const cast = read('cast.json')

const { unb64, b64, utf8 } = tasuki
const known = new Map(Object.entries(cast.members).map(([member, { signing_key, signing_keyid }]) =>
  [signing_keyid, { member, raw: unb64(signing_key) }]))
const keyOf = (member, keyid) => {
  const key = known.get(keyid)
  if (key?.member !== member) throw new tasuki.Refusal('key-unknown')
  return key.raw
}
const bytes = (given) => {
  if ('text' in given) return utf8(given.text)
  if ('repeat' in given) return utf8(given.repeat.repeat(given.times))
  return unb64(given.base64url)
}
const asked = (headers, body) => tasuki.parseRequest({ method: 'POST', authority: cast.authority,
  path: '/peer/v1/envelopes', headers: Object.entries(headers), body })
const body = bytes(read('request/valid_request.json').input.body)

// Subject -> layers from the outside in. Each is given what the one before it made.
const SUBJECTS = {
  json: { json: (given) => tasuki.parseJson(bytes(given), { max: 1000000 }) },
  document: {
    form: (given) => tasuki.parseDocument(bytes(given)),
    proof: (document) => {
      tasuki.verifyDocument(document, 'referral', known)
      return { kind: document.kind, digest: b64(tasuki.digest(document)) }
    },
  },
  request: {
    form: ({ body: sent, now, ...given }) =>
      [tasuki.parseRequest({ ...given, authority: cast.authority, body: bytes(sent) }), now],
    proof: ([request, now]) => {
      const { authority, alliance, us } = cast
      tasuki.verifyRequest(request, { now, authority, alliance, us, keyOf })
      const { keyid, nonce } = request.signature
      return { from: request.sides.from, keyid, nonce }
    },
  },
  response: {
    response: ({ request_headers: sent, status, headers, body: answer }) => {
      const request = asked(sent, body)
      tasuki.verifyResponse({ status, headers: Object.entries(headers), body: bytes(answer),
        request, keyOf })
      return { from: request.sides.to, status }
    },
  },
  envelope: {
    outside: (given) => envelopes.parseEnvelope(bytes(given)),
    addressing: (envelope) => {
      const { alliance, us } = cast
      envelopes.checkAddressing(envelope, { alliance, from: 'aoba', to: us })
      return envelope
    },
    opening: (envelope) => {
      const { sealing_private: secret, sealing_keyid: keyid } = cast.members[cast.us]
      return [envelope, envelopes.openEnvelope(envelope, { secret: unb64(secret), keyid })]
    },
    content: ([envelope, document]) => {
      const signer = tasuki.verifyDocument(document, 'referral', known)
      if (signer !== envelope.from) throw new tasuki.Refusal('sender-mismatch')
      return { digest: b64(envelopes.envelopeDigest(envelope)), kind: document.kind,
        payload: document.payload.toString() }
    },
  },
  receipt: {
    receipt: ({ receipt, envelope }) => {
      const document = tasuki.parseDocument(bytes(receipt))
      envelopes.verifyReceipt(document, envelopes.parseEnvelope(bytes(envelope)), known)
      return null
    },
  },
}

function outcome({ subject, input }) {
  let value = input
  for (const [layer, check] of Object.entries(SUBJECTS[subject])) {
    try {
      value = check(value)
    } catch (error) {
      if (!(error instanceof tasuki.Refusal)) throw error
      return { layer, refusal: error.code, result: null }
    }
  }
  return { layer: null, refusal: null, result: subject === 'json' ? null : value }
}

const run = {}
const wrong = []
for (const subject of Object.keys(SUBJECTS)) {
  const files = fs.readdirSync(path.join(folder, subject))
  run[subject] = files.length
  for (const file of files) {
    const vector = read(path.join(subject, file))
    const { layer, refusal, result } = vector
    const wanted = JSON.stringify({ layer, refusal, result })
    const got = JSON.stringify(outcome(vector))
    if (got !== wanted) wrong.push(`${subject}/${file}: wanted ${wanted}, got ${got}`)
  }
}
console.log(JSON.stringify({ run, wrong }))
