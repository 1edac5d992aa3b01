// A merchant at WeChat Pay's gateway that speaks through the library most merchants on Node.js use. It reads what it is on standard input,
// is paid by a code and on a page, closes, refunds and fetches the bill, verifies everything the gateway signs, opens what it seals, and
// says on standard output what it saw. Its argument is a file beside node_modules.
import assert from "node:assert/strict"
import { createHash, createPublicKey } from "node:crypto"
import { createServer } from "node:http"
import { createRequire } from "node:module"
import { text } from "node:stream/consumers"
import { gunzipSync } from "node:zlib"

const { Aes, Formatter, Rsa, Wechatpay } = createRequire(process.argv[2])("wechatpay-axios-plugin")
const input = JSON.parse(await text(process.stdin))
const merchant = (privateKey) =>
  new Wechatpay({
    mchid: input.merchant, serial: input.serial, privateKey, certs: { ...input.gatewayKeys }, baseURL: input.gateway, proxy: false,
    validateStatus: () => true, // or the library believes refusals that nobody signed
  })
const wechat = merchant(input.key).v3
const stranger = merchant(input.strangersKey).v3

const answered = async (asked, status = 200) => {
  const answer = await asked
  assert.equal(answer.status, status, JSON.stringify(answer.data))
  return answer.data
}
const refusedAs = async (asked, status, code) => assert.equal((await answered(asked, status)).code, code)

// The merchant's own address, where callbacks arrive. One that does not verify ends everything.
const callbacks = []
let arrived = () => {}
const server = createServer(async (request, response) => {
  const body = await text(request)
  callbacks.push(opened(request.headers, body))
  response.writeHead(204).end()
  arrived()
})
await new Promise((ready) => server.listen(0, "127.0.0.1", ready))
const notify_url = `http://127.0.0.1:${server.address().port}/notify`
const callback = async (about) => {
  for (;;) {
    const found = callbacks.find(about)
    if (found) return found
    await new Promise((resolve) => (arrived = resolve))
  }
}

// opened verifies a callback, makes sure that a change would be noticed, and decrypts what it carries.
function opened(headers, body) {
  const key = input.gatewayKeys[headers["wechatpay-serial"]]
  const holds = (signed) =>
    Rsa.verify(Formatter.response(headers["wechatpay-timestamp"], headers["wechatpay-nonce"], signed), headers["wechatpay-signature"], key)
  assert.ok(key && holds(body), "the signature of a callback")
  assert.ok(!holds(body + " "))
  assert.ok(Math.abs(Formatter.timestamp() - headers["wechatpay-timestamp"]) < 300)
  const event = JSON.parse(body)
  const { algorithm, ciphertext, nonce, associated_data, original_type } = event.resource
  assert.deepEqual([event.resource_type, algorithm], ["encrypt-resource", "AEAD_AES_256_GCM"])
  assert.throws(() => Aes.AesGcm.decrypt(ciphertext, input.apiV3Key, nonce, associated_data + "s"), "other data")
  const content = JSON.parse(Aes.AesGcm.decrypt(ciphertext, input.apiV3Key, nonce, associated_data))
  assert.equal(content.mchid, input.merchant)
  return { id: event.id, type: event.event_type, about: original_type, ...content }
}

const beijing = (at) => new Date(at + 8 * 3600e3).toISOString().slice(0, 19) + "+08:00"
const number = (kind) => `NODE${kind}${Date.now()}`
const mchid = input.merchant
const time_expire = beijing(Date.now() + 600e3)
const terms = (out_trade_no, more) => ({
  appid: input.appID, mchid, description: "哈姆雷特 第一幕", out_trade_no, time_expire, notify_url, amount: { total: 38000, currency: "CNY" }, ...more,
})
const native = (out_trade_no, more) => wechat.pay.transactions.native.post(terms(out_trade_no, more))
const query = (out_trade_no) => wechat.pay.transactions.outTradeNo.$out_trade_no$.get({ params: { mchid }, out_trade_no })
const close = (out_trade_no) => wechat.pay.transactions.outTradeNo.$out_trade_no$.close.post({ mchid }, { out_trade_no })
const press = (cashier) => fetch(cashier, { method: "POST", redirect: "manual" })
const cashierOf = (code) => `${input.gateway}/cashier/${new URL(code).searchParams.get("pr")}`

// Somebody else's key. The refusal is not signed.
await assert.rejects(stranger.pay.transactions.native.post(terms("NODENOBODY")), ({ code, response }) => {
  assert.deepEqual([code, response.status, JSON.parse(response.data).code], ["EV3_RES_HEADERS_INCOMPLATE", 401, "SIGN_ERROR"])
  return true
})
await refusedAs(query("NODENOBODY"), 404, "ORDER_NOT_EXIST")
await refusedAs(close("NODENOBODY"), 404, "ORDER_NOT_EXIST")

// A code.
const scanned = number("CODE")
const { code_url } = await answered(native(scanned))
assert.equal((await answered(native(scanned))).code_url, code_url)
await refusedAs(native(scanned, { amount: { total: 38001, currency: "CNY" } }), 400, "INVALID_REQUEST")
const waiting = await answered(query(scanned))
assert.deepEqual([waiting.trade_state, waiting.transaction_id, waiting.amount.total], ["NOTPAY", undefined, 38000])
assert.equal((await press(cashierOf(code_url))).status, 303)
const paid = await callback((c) => c.out_trade_no === scanned)
assert.deepEqual(
  [paid.type, paid.about, paid.appid, paid.trade_state, paid.trade_type, paid.amount.total, paid.amount.currency],
  ["TRANSACTION.SUCCESS", "transaction", input.appID, "SUCCESS", "NATIVE", 38000, "CNY"],
)
const queried = await answered(query(scanned))
assert.deepEqual([queried.trade_state, queried.transaction_id, queried.success_time], ["SUCCESS", paid.transaction_id, paid.success_time])
await refusedAs(native(scanned), 400, "ORDER_PAID")
await refusedAs(close(scanned), 400, "ORDER_PAID")

// A page for the browser of a phone.
const paged = number("PAGE")
const h5 = (more) => wechat.pay.transactions.h5.post(terms(paged, more))
await refusedAs(h5(), 400, "PARAM_ERROR")
const { h5_url } = await answered(h5({ scene_info: { payer_client_ip: "203.0.113.7", h5_info: { type: "Wap" } } }))
const back = "https://shop.example/orders/1?returned=1"
assert.equal((await press(`${h5_url}&redirect_url=${encodeURIComponent(back)}`)).headers.get("location"), back)
const told = await callback((c) => c.out_trade_no === paged)
assert.deepEqual([told.trade_state, told.trade_type], ["SUCCESS", "MWEB"])

// One that is closed before it is paid.
const closed = number("CLOSED")
const unpaid = await answered(native(closed))
assert.equal(await answered(close(closed), 204), "")
assert.equal((await press(cashierOf(unpaid.code_url))).status, 409)
assert.equal((await answered(query(closed))).trade_state, "CLOSED")
await refusedAs(close(closed), 400, "ORDER_CLOSED")

// A refund, twice, one under its number with another amount, and one above what was paid.
const refund = (more = {}) =>
  wechat.refund.domestic.refunds.post({
    out_trade_no: scanned, out_refund_no: scanned + "R", reason: "测试", notify_url, amount: { refund: 100, total: 38000, currency: "CNY" }, ...more,
  })
const first = await answered(refund())
const second = await answered(refund())
assert.deepEqual([first.status, first.amount.refund, first.refund_id], ["PROCESSING", 100, second.refund_id])
await refusedAs(refund({ amount: { refund: 200, total: 38000, currency: "CNY" } }), 400, "INVALID_REQUEST")
await refusedAs(refund({ out_refund_no: scanned + "X", amount: { refund: 37901, total: 38000, currency: "CNY" } }), 400, "INVALID_REQUEST")
const refundOf = (out_refund_no) => wechat.refund.domestic.refunds.$out_refund_no$.get({ out_refund_no })
const known = await answered(refundOf(scanned + "R"))
assert.deepEqual([known.status, known.amount.refund, known.transaction_id], ["SUCCESS", 100, paid.transaction_id])
await refusedAs(refundOf(scanned + "X"), 404, "RESOURCE_NOT_EXISTS")
const refunded = await callback((c) => c.out_refund_no === scanned + "R")
assert.deepEqual(
  [refunded.type, refunded.about, refunded.refund_status, refunded.amount.refund, refunded.refund_id],
  ["REFUND.SUCCESS", "refund", "SUCCESS", 100, first.refund_id],
)
assert.equal(new Set(callbacks.map((c) => c.id)).size, callbacks.length)

// The bills of the days on which all this happened: there are two of them around midnight.
const rows = []
for (const bill_date of new Set([paid.success_time, refunded.success_time].map((at) => at.slice(0, 10)))) {
  const asked = { bill_date, bill_type: "ALL" }
  const plain = await answered(wechat.bill.tradebill.get({ params: asked }))
  const file = await downloaded(plain.download_url)
  assert.deepEqual([plain.hash_type, plain.hash_value], ["SHA1", createHash("sha1").update(file).digest("hex")])
  const packed = await answered(wechat.bill.tradebill.get({ params: { ...asked, tar_type: "GZIP" } }))
  assert.deepEqual([packed.hash_value, gunzipSync(await downloaded(packed.download_url))], [plain.hash_value, file])
  const { rows: lines, summary } = Formatter.castCsvBill(file)
  assert.equal(summary["总交易单数"], String(lines.length))
  rows.push(...lines)
}
assert.deepEqual(
  rows.map((row) => [row["商户订单号"], row["交易状态"], row["订单金额"], row["申请退款金额"], row["微信订单号"], row["商户退款单号"]]),
  [
    [scanned, "SUCCESS", "380.00", "0.00", paid.transaction_id, "0"],
    [paged, "SUCCESS", "380.00", "0.00", told.transaction_id, "0"],
    [scanned, "REFUND", "0.00", "1.00", paid.transaction_id, scanned + "R"],
  ],
)
await refusedAs(wechat.bill.tradebill.get({ params: { bill_date: "2019-06-11", bill_type: "ALL" } }), 400, "NO_STATEMENT_EXIST")
await refusedAs(wechat.bill.tradebill.get({ params: { bill_date: "2019-06-11", bill_type: "ALL", tar_type: "ZIP" } }), 400, "PARAM_ERROR")
await refusedAs(wechat.bill.tradebill.get({ params: { bill_date: "2019-06-11", bill_type: "ALL", day: "1" } }), 400, "PARAM_ERROR")

// downloaded gets a file, which is given to who signs for it and is the only thing that is not signed itself.
async function downloaded(address) {
  const at = new URL(address)
  assert.equal(at.origin, input.gateway)
  const get = (who) => who.billdownload.file.get({ params: Object.fromEntries(at.searchParams), responseType: "arraybuffer" })
  await answered(get(stranger), 401)
  return Buffer.from(await answered(get(wechat)))
}

// What the adapter signs.
const own = createPublicKey(input.key)
for (const { method, uri, authorization, body } of input.adapters) {
  const [scheme, listed] = authorization.split(" ")
  const said = Object.fromEntries([...listed.matchAll(/(\w+)="([^"]*)"/g)].map((part) => part.slice(1)))
  assert.deepEqual([scheme, said.mchid, said.serial_no], ["WECHATPAY2-SHA256-RSA2048", mchid, input.serial])
  const holds = (asked) => Rsa.verify(Formatter.request(method, asked, said.timestamp, said.nonce_str, body), said.signature, own)
  assert.ok(holds(uri), `the adapter's signature of ${method} ${uri}`)
  assert.ok(!holds(uri + "?"))
}

server.close()
process.stdout.write(JSON.stringify({ callbacks: callbacks.length, lines: rows.length, adapters: input.adapters.length }))
process.exit(0)
