// A second implementation of the way between two nodes, written from protocol/SPEC.md: strict JSON,
// keys, signed documents and signed HTTP (SPEC §1 to §3), with node's own crypto. envelopes.js has
// the rest.

import crypto from 'node:crypto'

export class Refusal extends Error {
  constructor(code, detail = '') {
    super(`${code}: ${detail}`)
    this.code = code
  }
}
const refuse = (code, detail) => {
  throw new Refusal(code, detail)
}
export const require = (holds, code, detail) => holds || refuse(code, detail)

// --- Bytes. ---

export const utf8 = (text) => Buffer.from(text, 'utf8')
export const sha256 = (...parts) =>
  crypto.createHash('sha256').update(Buffer.concat(parts)).digest()
export const b64 = (bytes) => Buffer.from(bytes).toString('base64url')
export const unb64 = (text) => {
  const bytes = Buffer.from(text, 'base64url')
  // Only the one canonical writing: no padding, no other alphabet, unused bits are zero.
  require(b64(bytes) === text, 'document-invalid', 'not canonical base64url')
  return bytes
}

// --- Strict JSON (SPEC §1.1). ---

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const SPACE = /[ \t\n\r]*/y
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\0/
const BAD = 'json-not-strict'

export function parseJson(bytes, { max, depth: deepest = 16 }) {
  require(bytes.length <= max, 'too-large')
  let text
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    refuse('encoding')
  }
  require(!text.startsWith('\ufeff') && !text.includes('\0'), 'encoding')
  let at = 0
  const take = (pattern) => {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found) at = pattern.lastIndex
    return found?.[0]
  }
  const next = (letter) => {
    take(SPACE)
    return text[at] === letter && ++at
  }
  const string = () => {
    const literal = take(STRING)
    require(literal !== undefined, BAD, `no string at ${at}`)
    const value = JSON.parse(literal)
    require(!LONE.test(value), BAD, 'half a character, or NUL')
    return value
  }
  const number = () => {
    const literal = take(NUMBER)
    const isWhole = literal && /^-?[0-9]{1,16}$/.test(literal) && literal !== '-0'
    require(isWhole && Number.isSafeInteger(Number(literal)), BAD, `no value at ${at}`)
    return Number(literal)
  }
  const members = (depth) => {
    const found = new Map()
    if (next('}')) return {}
    do {
      take(SPACE)
      const name = string()
      require(next(':') && !found.has(name), BAD, `no colon, or ${name} twice`)
      found.set(name, value(depth))
    } while (next(','))
    require(next('}'), BAD, `no } at ${at}`)
    return Object.fromEntries(found)
  }
  const items = (depth) => {
    const found = []
    if (next(']')) return found
    do found.push(value(depth))
    while (next(','))
    require(next(']'), BAD, `no ] at ${at}`)
    return found
  }
  const value = (depth) => {
    take(SPACE)
    for (const [word, meaning] of [['true', true], ['false', false], ['null', null]]) {
      if (text.startsWith(word, at)) return (at += word.length), meaning
    }
    if (text[at] === '"') return string()
    const read = { '{': members, '[': items }[text[at]]
    if (!read) return number()
    require(depth < deepest, 'json-depth')
    at++
    return read(depth + 1)
  }
  const whole = value(0)
  take(SPACE)
  require(at === text.length, BAD, 'more text after the value')
  return whole
}

// Takes an object apart: exactly these fields, each of its form.
export function fields(object, forms) {
  const is = object !== null && typeof object === 'object' && !Array.isArray(object)
  require(is, 'document-invalid', 'not an object')
  const odd = new Set([...Object.keys(object), ...Object.keys(forms)])
  for (const name of odd) {
    const known = Object.hasOwn(object, name) && Object.hasOwn(forms, name)
    require(known && forms[name](object[name]), 'document-invalid', name)
  }
  return object
}
export const text = (form) => (value) => typeof value === 'string' && form.test(value)
export const whole = (low, high) => (value) =>
  Number.isSafeInteger(value) && value >= low && value <= high
export const NAME = /^[a-z][a-z0-9-]{0,31}$/
export const ID = /^[A-Za-z0-9_-]{16,64}$/
export const KEYID = /^[A-Za-z0-9_-]{43}$/
export const TIME = whole(0, 253402214399)

// --- Keys (SPEC §2). ---

const der = (prefix, raw, make) =>
  make({ key: Buffer.concat([Buffer.from(prefix, 'hex'), raw]), format: 'der',
    type: prefix.startsWith('302e') ? 'pkcs8' : 'spki' })
const edPublic = (raw) => der('302a300506032b6570032100', raw, crypto.createPublicKey)
const edPrivate = (seed) => der('302e020100300506032b657004220420', seed, crypto.createPrivateKey)
export const xPublic = (raw) => der('302a300506032b656e032100', raw, crypto.createPublicKey)
export const xPrivate = (raw) =>
  der('302e020100300506032b656e04220420', raw, crypto.createPrivateKey)
export const rawOf = (key) => Buffer.from(key.export({ format: 'jwk' }).x, 'base64url')

export const keyid = (raw) => b64(sha256(utf8(`{"crv":"Ed25519","kty":"OKP","x":"${b64(raw)}"}`)))
export const sealingKeyid = (raw) => b64(sha256(utf8('tasuki/v1/sealing-key\n'), raw))
export function signingKey(seed) {
  const secret = edPrivate(seed)
  const id = keyid(rawOf(crypto.createPublicKey(secret)))
  return { keyid: id, sign: (message) => crypto.sign(null, message, secret) }
}
export function checkSignature(raw, message, signature) {
  const good = signature.length === 64 && crypto.verify(null, message, edPublic(raw), signature)
  require(good, 'signature-invalid')
}

// --- Signed documents (SPEC §1.3). ---

export const pae = (kind, payload) => {
  const label = `application/vnd.tasuki.${kind}.v1+json`
  return Buffer.concat([utf8(`DSSEv1 ${label.length} ${label} ${payload.length} `), payload])
}
export const digest = (document) => sha256(pae(document.kind, document.payload))
export function sign(kind, payload, key) {
  const value = key.sign(pae(kind, payload))
  return { kind, payload, signatures: [{ keyid: key.keyid, value }] }
}
export const signaturesToJson = (signatures) =>
  signatures.map(({ keyid, value }) => ({ keyid, value: b64(value) }))
const readSignature = (claim) => {
  fields(claim, { keyid: text(KEYID), value: text(/^[A-Za-z0-9_-]{86}$/) })
  return { keyid: claim.keyid, value: unb64(claim.value) }
}
export function fromClaim(kind, payload, signatures) {
  require(text(NAME)(kind), 'document-invalid', 'kind')
  const is = Array.isArray(signatures) && signatures.length >= 1 && signatures.length <= 64
  require(is, 'document-invalid', 'signatures')
  return { kind, payload, signatures: signatures.map(readSignature) }
}
export function documentFromJson(value) {
  fields(value, { kind: () => true, payload: text(/^/), signatures: () => true })
  return fromClaim(value.kind, unb64(value.payload), value.signatures)
}
export const parseDocument = (bytes) => documentFromJson(parseJson(bytes, { max: 2 ** 21 }))
// keys: key id -> { member, raw }. Answers who signed.
export function verifyDocument(document, kind, keys) {
  require(document.kind === kind, 'document-invalid', `is ${document.kind}`)
  require(document.signatures.length === 1, 'document-invalid', 'one signature')
  const [signature] = document.signatures
  const key = keys.get(signature.keyid) ?? refuse('key-unknown', signature.keyid)
  checkSignature(key.raw, pae(document.kind, document.payload), signature.value)
  return key.member
}

// --- Signed HTTP (SPEC §3). ---

const COMPONENTS = ['@method', '@authority', '@path', '@query', 'content-type', 'content-digest',
  'peer-context'].map((name) => `"${name}"`)
const PROFILES = {
  request: { tag: 'tasuki-peer-req-1', components: COMPONENTS.join(' ') },
  response: { tag: 'tasuki-peer-res-1', components:
    ['"@status"', ...COMPONENTS.slice(4), ...COMPONENTS.map((name) => `${name};req`)].join(' ') },
}
const JSON_TYPE = 'application/json'
const PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[a-z0-9._-]+)+$/
const CONTEXT = new RegExp('^alliance="([a-z][a-z0-9-]{0,31})", epoch=([1-9][0-9]{0,8}), ' +
  'from="([a-z][a-z0-9-]{0,31})", to="([a-z][a-z0-9-]{0,31})"$')
const DIGEST = /^sha-256=:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=:$/
const LABEL = '[a-z*][a-z0-9_.*-]{0,63}'
const QUOTED = '"(?:[^"\\\\]|\\\\["\\\\])*"'
const VALUE = `(?:${QUOTED}|[^;,"()\\s]+)`
const PARAMETERS = `(?:;${LABEL}(?:=${VALUE})?)*`
const INPUT = new RegExp(`(${LABEL})=\\(((?:[^()"]|${QUOTED})*)\\)(${PARAMETERS})`, 'y')
const SIGNATURE = new RegExp(`(${LABEL})=:([A-Za-z0-9+/=]*):`, 'y')
const PARAMETER = new RegExp(`;(${LABEL})(?:=(${VALUE}))?`, 'g')

const contentDigest = (body) => `sha-256=:${sha256(body).toString('base64')}:`
const peerContext = ({ alliance, epoch, from, to }) =>
  `alliance="${alliance}", epoch=${epoch}, from="${from}", to="${to}"`

function requestLines(req, { authority, path, digest, context }) {
  const values = ['POST', authority, path, '?', JSON_TYPE, digest, context]
  return COMPONENTS.map((name, place) => `${name}${req}: ${values[place]}\n`).join('')
}
const responseLines = (status, type, digest, context, asked) =>
  `"@status": ${status}\n"content-type": ${type}\n"content-digest": ${digest}\n` +
  `"peer-context": ${context}\n${requestLines(';req', asked)}`
const finish = (lines, params) => utf8(`${lines}"@signature-params": ${params}`)

export function signRequest({ authority, path, body, context, key, created, nonce }) {
  const headers = { 'Content-Type': JSON_TYPE, 'Content-Digest': contentDigest(body),
    'Peer-Context': peerContext(context) }
  const params = `(${PROFILES.request.components});created=${created};expires=${created + 60}` +
    `;nonce="${b64(nonce)}";keyid="${key.keyid}";tag="${PROFILES.request.tag}"`
  const asked = { authority, path, digest: headers['Content-Digest'],
    context: headers['Peer-Context'] }
  const value = key.sign(finish(requestLines('', asked), params)).toString('base64')
  return { ...headers, 'Signature-Input': `tasuki=${params}`, Signature: `tasuki=:${value}:` }
}

function fold(pairs) {
  const found = {}
  for (const [name, value] of pairs) {
    const key = name.toLowerCase()
    found[key] = key in found ? `${found[key]}, ${value}` : value
  }
  return found
}

function dictionary(pattern, field) {
  const malformed = () => refuse('signature-malformed', field)
  const found = new Map()
  require(field.length <= 4096, 'signature-malformed')
  for (let at = 0; ; ) {
    pattern.lastIndex = at
    const member = pattern.exec(field) ?? malformed()
    if (found.has(member[1]) || found.size === 8) malformed()
    found.set(member[1], member.slice(2))
    at = pattern.lastIndex
    if (at === field.length) return found
    const comma = /^[ \t]*,[ \t]*/.exec(field.slice(at)) ?? malformed()
    at += comma[0].length
  }
}

function readSignatureField(headers, { tag, components }) {
  const there = 'signature-input' in headers && 'signature' in headers
  require(there, 'signature-missing')
  const inputs = dictionary(INPUT, headers['signature-input'])
  const values = dictionary(SIGNATURE, headers.signature)
  const same = inputs.size === values.size && [...inputs.keys()].every((label) => values.has(label))
  require(same, 'signature-malformed', 'labels')
  const ours = []
  for (const [label, [covered, rest]] of inputs) {
    const pairs = [...rest.matchAll(PARAMETER)].map(([, name, value = '']) => [name, value])
    const params = Object.fromEntries(pairs)
    require(Object.keys(params).length === pairs.length, 'signature-malformed', 'a parameter twice')
    if (params.tag === `"${tag}"`) ours.push({ covered, rest, params, value: values.get(label)[0] })
    else if (/^"tasuki-peer-(req|res)-[0-9]{1,6}"$/.test(params.tag)) ours.newer = true
  }
  if (!ours.length) refuse(ours.newer ? 'protocol-version' : 'signature-missing')
  require(ours.length === 1, 'signature-malformed', 'two signatures')
  const [{ covered, rest, params, value }] = ours
  require(covered === components, 'signature-coverage')
  require(!('alg' in params), 'algorithm-not-allowed')
  require(/^"[A-Za-z0-9_-]{21}[AQgw]"$/.test(params.nonce ?? ''), 'nonce')
  const names = Object.keys(params).sort().join()
  const formed = names === 'created,expires,keyid,nonce,tag' &&
    /^[0-9]{1,12}$/.test(params.created) && /^[0-9]{1,12}$/.test(params.expires) &&
    /^"[!#-[\]-~]{1,128}"$/.test(params.keyid) && /^[A-Za-z0-9+/]{85}[AQgw]==$/.test(value)
  require(formed, 'signature-malformed')
  return { params: `(${covered})${rest}`, created: Number(params.created),
    expires: Number(params.expires), nonce: params.nonce.slice(1, -1),
    keyid: params.keyid.slice(1, -1), value: Buffer.from(value, 'base64') }
}
const readContext = (headers) => {
  const found = CONTEXT.exec(headers['peer-context'] ?? '') ?? refuse('context-malformed')
  return { alliance: found[1], epoch: Number(found[2]), from: found[3], to: found[4] }
}
const readDigest = (headers) => {
  require(DIGEST.test(headers['content-digest'] ?? ''), 'digest-unsupported')
  return headers['content-digest']
}

export function parseRequest({ method, authority, path, headers: pairs, body }) {
  require(body.length <= 2 ** 23, 'too-large')
  require(path.length <= 128 && PATH.test(path), 'path-not-canonical')
  require(method === 'POST', 'method-not-allowed')
  const headers = fold(pairs)
  const plain = headers['content-type'] === JSON_TYPE && !('content-encoding' in headers)
  require(plain, 'media-type')
  const signature = readSignatureField(headers, PROFILES.request)
  const sides = readContext(headers)
  const asked = { authority, path, digest: readDigest(headers), context: headers['peer-context'] }
  return { ...asked, sides, signature, body }
}
// keyOf(member, keyid) answers the raw key, or refuses.
export function verifyRequest(request, { now, authority, alliance, us, keyOf }) {
  const { signature, sides } = request
  const { created, expires } = signature
  require(expires > created && expires - created <= 300, 'signature-malformed')
  require(expires >= now, 'signature-expired')
  require(Math.abs(created - now) <= 30, 'clock-skew')
  const ours = sides.to === us && sides.alliance === alliance && request.authority === authority
  require(ours, 'misdirected')
  const base = finish(requestLines('', request), signature.params)
  checkSignature(keyOf(sides.from, signature.keyid), base, signature.value)
  require(request.digest === contentDigest(request.body), 'digest-mismatch')
}
export function verifyResponse({ status, headers: pairs, body, request, keyOf }) {
  const unproven = 'response-unproven'
  try {
    const headers = fold(pairs)
    const type = headers['content-type']
    const typed = [JSON_TYPE, 'application/problem+json'].includes(type)
    require(body.length <= 2 ** 23 && typed && !('content-encoding' in headers), unproven)
    const signature = readSignatureField(headers, PROFILES.response)
    const { from, to, alliance } = readContext(headers)
    const sides = request.sides
    require(signature.nonce === request.signature.nonce, unproven)
    require(from === sides.to && to === sides.from && alliance === sides.alliance, unproven)
    const lines = responseLines(status, type, readDigest(headers), headers['peer-context'], request)
    checkSignature(keyOf(from, signature.keyid), finish(lines, signature.params), signature.value)
    require(headers['content-digest'] === contentDigest(body), unproven)
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(unproven, error.message) : error
  }
}
