// A mock of the API for working on the pages alone: `npm run mock`, then open the printed address.
// It serves dist under the strictest policy the pages must live with. Not part of the product.
import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { quote, refund } from './refunds.mjs'
import { catalogue, summaryOf } from './catalogue.mjs'

const port = Number(process.env.PORT ?? 8099)
const dist = fileURLToPath(new URL('../dist/', import.meta.url))
const csp = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'"
const events = catalogue()
const sessions = new Map(events.flatMap((e) => e.sessions.map((s) => [s.id, { event: e, session: s }])))
const orders = new Map()
const byKey = new Map()
const streams = new Set()
/** Switches set with POST /mock {"next":"sold_out"|"price_changed"|"drop"|"drop_after"|"accepted"|…}. */
let next = ''
const methods = [
  'alipay_page', 'alipay_qr', 'sandbox_card', 'sandbox_qr', 'sandbox_wallet', 'stripe_checkout', 'unionpay_page', 'wechatpay_h5', 'wechatpay_native',
]
const stamp = (t = Date.now()) => new Date(t).toISOString()

const send = (res, status, body, headers = {}) => {
  res.writeHead(status, { 'Content-Type': status >= 400 ? 'application/problem+json' : 'application/json', ...headers })
  res.end(JSON.stringify(body))
}
const problem = (res, status, code, detail = code, field) =>
  send(res, status, { type: `https://boxoffice.dev/problems/${code}`, title: code, status, detail, code, field, request_id: randomBytes(6).toString('hex') })

function priced(sessionId, lines) {
  const found = sessions.get(sessionId)
  const out = lines.map((l) => {
    const t = found.session.ticket_types.find((x) => x.id === l.ticket_type_id)
    return { ...l, name: t.name, base_price: t.base_price, surcharge: t.surcharge, amount: { ...t.price, amount: t.price.amount * l.quantity }, discount: { ...t.price, amount: 0 }, fee: { ...t.price, amount: 0 } }
  })
  const fee = found.event.order_fee
  return { lines: out, vouchers: [], order_fee: fee, total: { ...fee, amount: fee.amount + out.reduce((n, l) => n + l.amount.amount, 0) } }
}

function say(order, kind, detail = {}) {
  const entry = { sequence: order.events.length + 1, kind, state: order.state, at: stamp(), detail }
  order.events.push(entry)
  order.revision = entry.sequence
  order.updated_at = entry.at
  for (const s of streams) if (s.order === order.id) s.res.write(`event: order\nid: ${entry.sequence}\ndata: ${JSON.stringify(entry)}\n\n`)
}

function move(order, what) {
  const attempt = order.attempts.at(-1)
  if (what === 'paid') {
    if (attempt) attempt.state = 'ACCEPTED'
    const late = order.state === 'EXPIRED'
    order.state = 'PAID'
    order.tickets = order.lines.flatMap((l) => Array.from({ length: l.quantity }, (_, i) => ({
      id: `${l.ticket_type_id}-${i}`, ticket_type_id: l.ticket_type_id, name: l.name, state: 'VALID',
      code: randomBytes(20).toString('base64url').toUpperCase().replace(/[-_]/g, '7').slice(0, 26), issued_at: stamp(),
    })))
    if (late) { say(order, 'late_payment', { amount: order.total }); say(order, 'retaken') }
    else say(order, 'payment_received', { amount: order.total })
    say(order, 'paid')
  } else if (what === 'declined') { attempt.state = 'DECLINED'; say(order, 'attempt_declined', { attempt_id: attempt.id })
  } else if (what === 'late_refund') {
    attempt.state = 'REJECTED'
    order.refunds.push({ id: `R${order.id}`, attempt_id: attempt.id, amount: order.total, fee: { ...order.total, amount: 0 }, ticket_ids: [], state: 'PENDING', reason: 'late', created_at: stamp() })
    say(order, 'late_payment', { amount: order.total }); say(order, 'refund_started', { amount: order.total })
  } else if (what === 'refunded') { order.refunds[0].state = 'SUCCEEDED'; order.refunds[0].settled_at = stamp(); attempt.state = 'REFUNDED'; say(order, 'refund_settled', { amount: order.total })
  } else if (what === 'wrong_amount') {
    const captured = { ...order.total, amount: order.total.amount - 100 }
    attempt.state = 'REJECTED'
    order.refunds.push({ id: `R${attempt.id}`, attempt_id: attempt.id, amount: captured, fee: { ...captured, amount: 0 }, ticket_ids: [], state: 'PENDING', reason: 'amount', created_at: stamp() })
    say(order, 'payment_rejected', { attempt_id: attempt.id, amount: captured.amount, reason: 'amount' })
    say(order, 'refund_started', { amount: captured.amount })
  } else if (what === 'called_off') { order.refund_policy.free = true; say(order, 'event_changed')
  } else if (what === 'refunds_fail') { order.refundsFail = true
  } else if (what === 'step') { for (const s of order.refund_policy.steps) s.until = stamp(Date.parse(s.until) - 7 * 86_400_000)
  } else if (what.startsWith('dispute_')) {
    for (const t of order.tickets) if (t.state !== 'VOID') t.state = { dispute_opened: 'FROZEN', dispute_won: 'VALID', dispute_lost: 'VOID' }[what]
    if (what === 'dispute_lost') order.state = 'REFUNDED'
    say(order, what)
  } else if (what === 'soon') { order.pay_by = stamp(Date.now() + 8000); say(order, 'held')
  } else { order.state = what.toUpperCase(); say(order, what) }
}

function place(body) {
  const { event, session } = sessions.get(body.session_id)
  const id = randomBytes(16).toString('hex').toUpperCase().slice(0, 26)
  const order = {
    id, state: 'PENDING', session_id: session.id, event_id: event.id, event_title: event.title, session_starts_at: session.starts_at,
    venue: session.venue, ...priced(session.id, body.lines), buyer: body.buyer, language: body.language,
    pay_by: stamp(Date.now() + event.hold_seconds * 1000), created_at: stamp(), updated_at: stamp(), revision: 0,
    methods: [...methods], refund_policy: structuredClone(session.refund_policy), attempts: [], tickets: [], refunds: [],
  }
  Object.defineProperties(order, { events: { value: [] }, refundsFail: { value: false, writable: true }, token: { value: randomBytes(24).toString('base64url') } })
  orders.set(id, order)
  for (const l of body.lines) session.ticket_types.find((t) => t.id === l.ticket_type_id).available -= l.quantity
  say(order, 'held')
  return order
}

const shown = (order) => ({ ...order, server_time: stamp() })
const availability = (s) => ({ session_id: s.id, as_of: stamp(), ticket_types: s.ticket_types.map((t) => ({ id: t.id, available: t.available, capacity: t.capacity })) })

function stream(req, res, extra) {
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
  res.write(': open\n\n')
  const entry = { res, ...extra }
  streams.add(entry)
  req.on('close', () => streams.delete(entry))
}
setInterval(() => { for (const s of streams) s.res.write(': beat\n\n') }, 15_000).unref()

const read = async (req) => { let t = ''; for await (const c of req) t += c; return t ? JSON.parse(t) : {} }

function refuse(res, body) {
  const what = next
  next = ''
  if (what === 'drop') return res.destroy() || true
  if (what === 'price_changed') { for (const t of sessions.get(body.session_id).session.ticket_types) { t.base_price.amount += 500; t.price.amount += 500 } return problem(res, 409, what) || true }
  if (what === 'sold_out') { for (const t of sessions.get(body.session_id).session.ticket_types) t.available = 1; return problem(res, 409, what, 'only 1 left') || true }
  if (what === 'limit_exceeded' || what === 'window_closed') return problem(res, 422, what) || true
  if (what === 'unavailable') return problem(res, 503, what) || true
  if (what === 'rate_limited') return problem(res, 429, what) || true
  next = what
  return false
}

async function newOrder(req, res) {
  const body = await read(req)
  const key = req.headers['idempotency-key']
  if (!key) return problem(res, 400, 'key_required')
  const hash = createHash('sha256').update(JSON.stringify(body)).digest('hex')
  const known = byKey.get(key)
  if (known && known.hash !== hash) return problem(res, 422, 'idempotency_key_reused')
  if (!known && refuse(res, body)) return
  const order = known?.order ?? place(body)
  byKey.set(key, { hash, order })
  if (next === 'drop_after') { next = ''; res.writeHead(201, { 'Content-Length': 5000 }); res.write('{'); return setTimeout(() => res.destroy(), 100) }
  if (next === 'accepted') { next = ''; order.hidden = Date.now() + 4000; return send(res, 202, { id: order.id, state: 'PENDING', token: order.token }) }
  send(res, 201, { ...shown(order), token: order.token }, { Location: `/api/v1/orders/${order.id}` })
}

/** What the buyer was told: by mail of everything that is worth it. */
function told(order) {
  const kinds = { paid: 'paid', retaken: 'retaken', expired: 'expired', cancelled: 'cancelled', refund_started: 'payment_returned', refund_requested: 'refund_requested', refund_settled: 'refunded' }
  return order.events.filter((e) => kinds[e.kind]).map((e) => ({
    id: `${order.id}-${e.sequence}`, kind: kinds[e.kind], channel: 'mail', to: 'm***@example.com', state: 'SENT', created_at: e.at, sent_at: e.at,
  }))
}

async function orderCall(req, res, id, rest) {
  const order = orders.get(id)
  if (!order || order.hidden > Date.now()) return problem(res, 404, 'not_found')
  if (req.headers.authorization !== `Bearer ${order.token}`) return problem(res, 401, 'unauthorized')
  if (rest === '') return send(res, 200, shown(order))
  if (rest === '/events') {
    if (!req.headers.accept?.includes('text/event-stream')) return send(res, 200, { events: order.events })
    stream(req, res, { order: id })
    for (const e of order.events.slice(Number(req.headers['last-event-id'] ?? 0))) res.write(`event: order\nid: ${e.sequence}\ndata: ${JSON.stringify(e)}\n\n`)
    return
  }
  if (rest === '/messages') return send(res, 200, { messages: told(order) })
  if (rest === '/cancel') { order.state = 'CANCELLED'; say(order, 'cancelled'); return send(res, 200, shown(order)) }
  if (rest === '/payments') {
    const { method } = await read(req)
    const door = `http://127.0.0.1:${port}/mock/pay?order=${id}`
    if (next === 'method_unavailable') { next = ''; return problem(res, 503, 'method_unavailable') }
    for (const a of order.attempts) if (a.state === 'PENDING') { a.state = 'CLOSED'; say(order, 'attempt_closed', { attempt_id: a.id }) }
    const attempt = {
      id: randomBytes(13).toString('hex').toUpperCase(), method, provider: 'sandbox', state: 'PENDING', amount: order.total,
      ...(/_qr$|_native$/.test(method) ? { qr: method === 'wechatpay_native' ? 'weixin://wxpay/bizpayurl?pr=mock' : door } : { pay_url: door }),
      ...(method === 'unionpay_page' ? { pay_form: { orderId: id, txnAmt: String(order.total.amount), submit: 'yes' } } : {}),
      created_at: stamp(), expires_at: order.pay_by,
    }
    order.attempts.push(attempt)
    say(order, 'attempt_started', { attempt_id: attempt.id, method })
    return send(res, 201, { attempt_id: attempt.id, method, pay_url: attempt.pay_url, pay_form: attempt.pay_form, qr: attempt.qr, expires_at: attempt.expires_at })
  }
  if (rest === '/refund-quotes') {
    const quoted = quote(order, (await read(req)).ticket_ids)
    return quoted.code ? problem(res, 409, quoted.code, quoted.detail) : send(res, 200, quoted)
  }
  if (rest === '/refunds') {
    if (next === 'unavailable') { next = ''; return problem(res, 503, 'unavailable') }
    const key = `refund ${id} ${req.headers['idempotency-key']}`
    const made = byKey.get(key) ?? refund(order, await read(req), say)
    if (made.code) return problem(res, 409, made.code, made.detail)
    byKey.set(key, made)
    if (next === 'drop_after') { next = ''; return res.destroy() }
    if (next === 'accepted') { next = ''; return send(res, 202, { state: 'PENDING' }) }
    return send(res, 201, made)
  }
  problem(res, 404, 'not_found')
}

async function mockCall(req, res, url) {
  if (req.method === 'POST' && url.pathname !== '/mock/pay') {
    const body = await read(req)
    if (body.next !== undefined) next = body.next
    if (body.order) move(orders.get(body.order), body.move)
    if (body.session) {
      const s = sessions.get(body.session).session
      s.ticket_types[0].available = body.available
      for (const x of streams) if (x.session === s.id) x.res.write(`event: availability\ndata: ${JSON.stringify(availability(s))}\n\n`)
    }
    return send(res, 200, { ok: true })
  }
  const id = url.searchParams.get('order')
  setTimeout(() => move(orders.get(id), url.searchParams.get('move') ?? 'paid'), 1500)
  res.writeHead(302, { Location: `/orders/${id}?returned=1` }).end()
}

const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
async function file(res, path) {
  const name = extname(path) ? normalize(path).replace(/^[/.]+/, '') : 'index.html'
  try {
    const body = await readFile(join(dist, name))
    res.writeHead(200, { 'Content-Type': types[extname(name)] ?? 'application/octet-stream', 'Content-Security-Policy': csp })
    res.end(body)
  } catch {
    res.writeHead(404).end()
  }
}

async function api(req, res, url) {
  const path = url.pathname.slice('/api/v1'.length)
  let m
  if (path === '/cities') return send(res, 200, { cities: [...new Map(events.map((e) => [e.sessions[0].venue.city.en, e.sessions[0].venue.city])).values()] })
  if (path === '/events') {
    if (next === 'list_down') return problem(res, 503, 'unavailable')
    const p = Object.fromEntries(url.searchParams)
    const hit = events.map(summaryOf).filter((e) =>
      (!p.kind || e.kind === p.kind) && (!p.city || Object.values(e.city).includes(p.city)) &&
      (!p.q || JSON.stringify([e.title, e.summary, e.organiser]).toLowerCase().includes(p.q.toLowerCase())) &&
      (!p.from || e.last_session_at >= p.from) && (!p.to || e.first_session_at.slice(0, 10) <= p.to))
    return send(res, 200, { events: hit })
  }
  if ((m = /^\/events\/([\w-]+)$/.exec(path))) {
    const e = events.find((x) => x.id === m[1])
    return e ? send(res, 200, e) : problem(res, 404, 'not_found')
  }
  if ((m = /^\/sessions\/([\w-]+)(\/availability)?$/.exec(path))) {
    const found = sessions.get(m[1])
    if (!found) return problem(res, 404, 'not_found')
    if (!m[2]) return send(res, 200, { event: { ...found.event, sessions: undefined }, session: found.session })
    if (!req.headers.accept?.includes('text/event-stream')) return send(res, 200, availability(found.session))
    stream(req, res, { session: m[1] })
    return res.write(`event: availability\ndata: ${JSON.stringify(availability(found.session))}\n\n`)
  }
  if (path === '/quotes') { const b = await read(req); return send(res, 200, priced(b.session_id, b.lines)) }
  if (path === '/orders') return newOrder(req, res)
  if ((m = /^\/orders\/(\w+)(.*)$/.exec(path))) return orderCall(req, res, m[1], m[2])
  problem(res, 404, 'not_found')
}

createServer((req, res) => {
  const url = new URL(req.url, 'http://x')
  const handler = url.pathname.startsWith('/api/') ? api : url.pathname.startsWith('/mock') ? mockCall : (_q, r, u) => file(r, u.pathname)
  handler(req, res, url).catch?.((e) => { console.error(e); if (!res.headersSent) problem(res, 500, 'internal') })
}).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}`))
