// A shop that sells through Stripe's own library. It reads where its account is on standard input, sells, gives back, reads the balance, has
// events sent to it and verifies them, and says on standard output what it saw. Its argument is a file beside node_modules.
import assert from "node:assert/strict"
import { createServer } from "node:http"
import { createRequire } from "node:module"
import { text } from "node:stream/consumers"

const Stripe = createRequire(process.argv[2])("stripe")
const input = JSON.parse(await text(process.stdin))
const { hostname, port } = new URL(input.url)
const stripe = new Stripe(input.key, { host: hostname, port, protocol: "http", maxNetworkRetries: 0, telemetry: false })

const refusedAs = (type, code) => (error) => {
  assert.equal(error.type, type, error.message)
  assert.equal(error.code, code, error.message)
  return true
}

// The shop's own address, where events arrive.
const events = []
let arrived = () => {}
const server = createServer(async (request, response) => {
  const body = await text(request)
  const event = stripe.webhooks.constructEvent(body, request.headers["stripe-signature"], endpoint.secret)
  assert.throws(() => stripe.webhooks.constructEvent(body + " ", request.headers["stripe-signature"], endpoint.secret), { type: "StripeSignatureVerificationError" })
  assert.throws(() => stripe.webhooks.constructEvent(body, request.headers["stripe-signature"], "whsec_other"), { type: "StripeSignatureVerificationError" })
  events.push(event)
  response.end("{}")
  arrived()
})
await new Promise((ready) => server.listen(0, "127.0.0.1", ready))
const endpoint = await stripe.webhookEndpoints.create({ url: `http://127.0.0.1:${server.address().port}/events`, enabled_events: ["*"] })
const eventOf = async (type, id) => {
  for (;;) {
    const found = events.find((event) => event.type === type && event.data.object.id === id)
    if (found) return found
    await new Promise((resolve) => (arrived = resolve))
  }
}

// What the stand-in signed for the adapter's endpoint.
for (const { header, body } of input.callbacks) {
  const event = stripe.webhooks.constructEvent(body, header, input.secret)
  assert.equal(event.object, "event")
  assert.throws(() => stripe.webhooks.constructEvent(body.replace('"livemode": false', '"livemode": true'), header, input.secret), { type: "StripeSignatureVerificationError" })
}

// What the adapter created is what a shop of Stripe's would see.
const theirs = await stripe.checkout.sessions.list({ limit: 100 }).autoPagingToArray({ limit: 1000 })
const adapters = theirs.find((session) => session.client_reference_id === input.number)
assert.equal(adapters.metadata.boxoffice_number, input.number)
assert.deepEqual([adapters.amount_total, adapters.currency, adapters.payment_status, adapters.mode], [38000, "usd", "paid", "payment"])

// A session that ends unpaid, and one that is paid.
const terms = (reference) => ({
  mode: "payment", client_reference_id: reference, metadata: { shop: "node" }, success_url: "https://shop.example/back?session={CHECKOUT_SESSION_ID}",
  line_items: [{ quantity: 2, price_data: { currency: "eur", unit_amount: 1250, product_data: { name: "Ticket" } } }],
  payment_intent_data: { description: "Ticket", metadata: { shop: "node" } }, payment_method_types: ["card"], locale: "de",
  adaptive_pricing: { enabled: false }, expires_at: Math.floor(Date.now() / 1000) + 3600,
})
const unpaid = await stripe.checkout.sessions.create(terms("NODE0001"))
assert.deepEqual([unpaid.status, unpaid.payment_status, unpaid.amount_total, unpaid.payment_intent], ["open", "unpaid", 2500, null])
assert.equal((await stripe.checkout.sessions.expire(unpaid.id)).status, "expired")
await assert.rejects(stripe.checkout.sessions.expire(unpaid.id), refusedAs("StripeInvalidRequestError", undefined))
await eventOf("checkout.session.expired", unpaid.id)

const key = { idempotencyKey: "node-1" }
const session = await stripe.checkout.sessions.create(terms("NODE0002"), key)
const again = await stripe.checkout.sessions.create(terms("NODE0002"), key)
assert.equal(again.id, session.id)
assert.equal(again.lastResponse.headers["idempotent-replayed"], "true")
await assert.rejects(stripe.checkout.sessions.create({ ...terms("NODE0002"), locale: "fr" }, key), refusedAs("StripeIdempotencyError", undefined))
await assert.rejects(stripe.checkout.sessions.create({ ...terms("NODE0003"), colour: "red" }), refusedAs("StripeInvalidRequestError", "parameter_unknown"))
await assert.rejects(stripe.checkout.sessions.create({ ...terms("NODE0003"), expires_at: Math.floor(Date.now() / 1000) + 60 }), refusedAs("StripeInvalidRequestError", undefined))
await assert.rejects(stripe.checkout.sessions.retrieve("cs_test_unknown"), refusedAs("StripeInvalidRequestError", "resource_missing"))
await assert.rejects(new Stripe("sk_test_other", { host: hostname, port, protocol: "http" }).checkout.sessions.list(), refusedAs("StripeAuthenticationError", undefined))

const back = await fetch(`${session.url}/pay`, { method: "POST", redirect: "manual" })
assert.equal(back.status, 303)
assert.equal(back.headers.get("location"), `https://shop.example/back?session=${session.id}`)
const completed = await eventOf("checkout.session.completed", session.id)
assert.deepEqual([completed.data.object.payment_status, completed.data.object.amount_total, completed.livemode], ["paid", 2500, false])
const paid = await stripe.checkout.sessions.retrieve(session.id, { expand: ["payment_intent.latest_charge"] })
assert.deepEqual([paid.status, paid.payment_intent.status, paid.payment_intent.amount_received], ["complete", "succeeded", 2500])
assert.deepEqual([paid.payment_intent.latest_charge.paid, paid.payment_intent.latest_charge.metadata.shop], [true, "node"])
assert.equal((await stripe.paymentIntents.retrieve(paid.payment_intent.id)).id, completed.data.object.payment_intent)

// A refund twice, and one above what is left.
const refundKey = { idempotencyKey: "node-refund-1" }
const part = { payment_intent: paid.payment_intent.id, amount: 1000, metadata: { refund: "1" } }
const refund = await stripe.refunds.create(part, refundKey)
assert.equal((await stripe.refunds.create(part, refundKey)).id, refund.id)
assert.equal((await eventOf("refund.updated", refund.id)).data.object.status, "succeeded")
await assert.rejects(stripe.refunds.create({ ...part, amount: 1501 }), refusedAs("StripeInvalidRequestError", undefined))
await stripe.refunds.create({ ...part, amount: 1500 })
await assert.rejects(stripe.refunds.create(part), refusedAs("StripeInvalidRequestError", "charge_already_refunded"))
const refunds = await stripe.refunds.list({ payment_intent: paid.payment_intent.id })
assert.deepEqual(refunds.data.map((one) => one.amount), [1500, 1000])

// The balance.
const since = Math.floor(Date.now() / 1000) - 600
const movements = await stripe.balanceTransactions.list({ created: { gte: since }, limit: 2, expand: ["data.source"] }).autoPagingToArray({ limit: 1000 })
const ours = movements.filter((one) => one.currency === "eur")
assert.deepEqual(ours.map((one) => [one.type, one.amount, one.source.object]), [["refund", -1500, "refund"], ["refund", -1000, "refund"], ["charge", 2500, "charge"]])
assert.ok(ours.every((one) => one.net === one.amount - one.fee))
assert.equal(ours[2].fee, Math.floor(2500 * 0.029) + 30)

process.stdout.write(JSON.stringify({ verified: input.callbacks.length, sessions: theirs.length, events: events.length }))
process.exit(0)
