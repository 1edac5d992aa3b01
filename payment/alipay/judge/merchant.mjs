// A merchant at Alipay's gateway that speaks through Alipay's own library. It reads what it is on standard input, is paid by a code and on
// a page, closes, refunds and fetches the bill, verifies everything the gateway signs, and says on standard output what it saw. Its argument
// is a file beside node_modules.
import assert from "node:assert/strict"
import { createPublicKey, createVerify } from "node:crypto"
import { createServer } from "node:http"
import { createRequire } from "node:module"
import { text } from "node:stream/consumers"
import { inflateRawSync } from "node:zlib"

const { AlipaySdk } = createRequire(process.argv[2])("alipay-sdk")
const input = JSON.parse(await text(process.stdin))
const config = {
  appId: input.appID,
  gateway: input.gateway,
  keyType: "PKCS1",
  ...(input.certificate
    ? { appCertContent: input.appCertificate, alipayPublicCertContent: input.certificate, alipayRootCertContent: input.roots }
    : { alipayPublicKey: input.publicKey }),
}
const sdk = new AlipaySdk({ ...config, privateKey: input.key })
const stranger = new AlipaySdk({ ...config, privateKey: input.strangersKey })

// Answers, refusals too, have to be signed over exactly the text that was sent.
const ask = (method, bizContent, more = {}) => sdk.exec(method, { ...more, bizContent }, { validateSign: true })
const refusedAs = (answer, code, subCode) => assert.deepEqual([answer.code, answer.subCode], [code, subCode], answer.subMsg)

// The merchant's own address, where callbacks arrive.
const callbacks = []
let arrived = () => {}
const server = createServer(async (request, response) => {
  callbacks.push(Object.fromEntries(new URLSearchParams(await text(request))))
  response.end("success")
  arrived()
})
await new Promise((ready) => server.listen(0, "127.0.0.1", ready))
const notifyUrl = `http://127.0.0.1:${server.address().port}/notify`
const returnUrl = "https://shop.example/back"
const callback = async (about) => {
  for (;;) {
    const found = callbacks.find(about)
    if (found) return verified(found)
    await new Promise((resolve) => (arrived = resolve))
  }
}

// verified makes sure that the gateway signed a form for this merchant, and that a change would be noticed.
function verified(form) {
  assert.ok(sdk.checkNotifySignV2(form), `signature of ${JSON.stringify(form)}`)
  assert.ok(!sdk.checkNotifySignV2({ ...form, total_amount: "0.01" }))
  assert.deepEqual([form.app_id, form.seller_id, form.sign_type], [input.appID, input.sellerID, "RSA2"])
  return form
}

const beijing = (at) => new Date(at + 8 * 3600e3).toISOString().replace("T", " ").slice(0, 19)
const number = (kind) => `NODE${kind}${Date.now()}`
const terms = (outTradeNo, productCode) => ({
  outTradeNo, totalAmount: "380.00", subject: "哈姆雷特 第一幕", productCode, timeExpire: beijing(Date.now() + 600e3),
})
const precreate = (outTradeNo, change = {}) =>
  ask("alipay.trade.precreate", { ...terms(outTradeNo, "FACE_TO_FACE_PAYMENT"), ...change }, { notifyUrl })
const query = (outTradeNo) => ask("alipay.trade.query", { outTradeNo })
const press = (cashier, step) => fetch(`${cashier}/${step}`, { method: "POST", redirect: "manual" })

// Somebody else's key, and a signature over something else.
refusedAs(await stranger.exec("alipay.trade.query", { bizContent: { outTradeNo: "NODENOBODY" } }, { validateSign: true }), "40002", "isv.invalid-signature")
const changed = new URL(sdk.pageExecute("alipay.trade.page.pay", "GET", { notifyUrl, returnUrl, bizContent: terms("NODECHANGED", "FAST_INSTANT_TRADE_PAY") }))
changed.searchParams.set("biz_content", changed.searchParams.get("biz_content").replace("380.00", "0.01"))
assert.match(await (await fetch(changed)).text(), /isv\.invalid-signature/)

// A code is only an offer; a trade begins when somebody scans it.
const scanned = number("CODE")
const code = await precreate(scanned)
assert.deepEqual([code.code, code.outTradeNo, (await precreate(scanned)).code], ["10000", scanned, "10000"])
refusedAs(await query(scanned), "40004", "ACQ.TRADE_NOT_EXIST")
refusedAs(await ask("alipay.trade.close", { outTradeNo: scanned }), "40004", "ACQ.TRADE_NOT_EXIST")
assert.equal((await press(code.qrCode, "scan")).status, 303)
assert.equal((await query(scanned)).tradeStatus, "WAIT_BUYER_PAY")
refusedAs(await precreate(scanned, { totalAmount: "380.01" }), "40004", "ACQ.CONTEXT_INCONSISTENT")
assert.equal((await press(code.qrCode, "pay")).status, 303)
const paid = await callback((c) => c.out_trade_no === scanned)
assert.deepEqual([paid.trade_status, paid.total_amount, paid.notify_type], ["TRADE_SUCCESS", "380.00", "trade_status_sync"])
const queried = await query(scanned)
assert.deepEqual(
  [queried.code, queried.tradeStatus, queried.tradeNo, queried.totalAmount, queried.sendPayDate],
  ["10000", "TRADE_SUCCESS", paid.trade_no, "380.00", paid.gmt_payment],
)
refusedAs(await precreate(scanned), "40004", "ACQ.TRADE_HAS_SUCCESS")
refusedAs(await ask("alipay.trade.close", { outTradeNo: scanned }), "40004", "ACQ.TRADE_STATUS_ERROR")

// A page, at the address that the library signs.
const paged = number("PAGE")
const page = await fetch(sdk.pageExecute("alipay.trade.page.pay", "GET", { notifyUrl, returnUrl, bizContent: terms(paged, "FAST_INSTANT_TRADE_PAY") }))
assert.match(await page.text(), /id="amount">380\.00/)
refusedAs(await query(paged), "40004", "ACQ.TRADE_NOT_EXIST")
const back = new URL((await press(page.url, "pay")).headers.get("location"))
assert.equal(back.origin + back.pathname, returnUrl)
const returned = verified(Object.fromEntries(back.searchParams))
const told = await callback((c) => c.out_trade_no === paged)
assert.deepEqual([returned.out_trade_no, returned.trade_no, told.trade_status], [paged, told.trade_no, "TRADE_SUCCESS"])

// One that is closed before it is paid.
const closed = number("CLOSED")
const unpaid = await precreate(closed)
await press(unpaid.qrCode, "scan")
assert.equal((await ask("alipay.trade.close", { outTradeNo: closed })).code, "10000")
assert.match(await (await fetch(`${unpaid.qrCode}/pay`, { method: "POST" })).text(), /ACQ\.TRADE_HAS_CLOSE/)
assert.deepEqual([(await query(closed)).tradeStatus, (await query(closed)).sendPayDate], ["TRADE_CLOSED", undefined])

// A refund, twice, one under its number with another amount, and one above what was paid.
const refund = { outTradeNo: scanned, outRequestNo: scanned + "R", refundAmount: "1.00", refundReason: "测试" }
const first = await ask("alipay.trade.refund", refund)
const second = await ask("alipay.trade.refund", refund)
assert.deepEqual([first.code, first.fundChange, first.refundFee], ["10000", "Y", "1.00"])
assert.deepEqual([second.code, second.fundChange, second.refundFee], ["10000", "N", "1.00"])
refusedAs(await ask("alipay.trade.refund", { ...refund, refundAmount: "2.00" }), "40004", "ACQ.DISCORDANT_REPEAT_REQUEST")
assert.equal((await ask("alipay.trade.refund", { ...refund, outRequestNo: scanned + "X", refundAmount: "379.01" })).code, "40004")
const known = await ask("alipay.trade.fastpay.refund.query", { outTradeNo: scanned, outRequestNo: refund.outRequestNo, queryOptions: ["gmt_refund_pay"] })
assert.deepEqual([known.refundStatus, known.refundAmount, known.outRequestNo], ["REFUND_SUCCESS", "1.00", refund.outRequestNo])
const unknown = await ask("alipay.trade.fastpay.refund.query", { outTradeNo: scanned, outRequestNo: scanned + "X" })
assert.deepEqual([unknown.code, unknown.refundStatus], ["10000", undefined], "that is how it says that it has none")
const refunded = await callback((c) => c.out_biz_no === refund.outRequestNo)
assert.deepEqual([refunded.refund_fee, refunded.trade_status, refunded.trade_no], ["1.00", "TRADE_SUCCESS", paid.trade_no])
assert.equal(new Set(callbacks.map((c) => c.notify_id)).size, callbacks.length)

// The bills of the days on which all this happened: there are two of them around midnight.
const rows = []
for (const day of new Set([paid.gmt_payment, known.gmtRefundPay].map((at) => at.slice(0, 10)))) {
  const bill = await ask("alipay.data.dataservice.bill.downloadurl.query", { billType: "trade", billDate: day })
  assert.equal(bill.code, "10000")
  const files = unzip(Buffer.from(await (await fetch(bill.billDownloadUrl)).arrayBuffer()))
  const details = files.find((file) => file.startsWith("#支付宝业务明细查询"))
  const [names, ...lines] = details.split("\r\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) => line.split(",").map((cell) => cell.trim()))
  rows.push(...lines.map((cells) => Object.fromEntries(cells.map((cell, i) => [names[i], cell]))))
}
assert.deepEqual(
  rows.map((row) => [row["商户订单号"], row["业务类型"], row["订单金额（元）"], row["支付宝交易号"], row["退款批次号/请求号"]]),
  [
    [scanned, "交易", "380.00", paid.trade_no, ""],
    [paged, "交易", "380.00", told.trade_no, ""],
    [scanned, "退款", "-1.00", paid.trade_no, refund.outRequestNo],
  ],
)

// What the adapter signs.
const adapters = Object.fromEntries(new URL(input.page).searchParams)
const signed = (form) => Object.keys(form).filter((name) => name !== "sign").sort().map((name) => `${name}=${form[name]}`).join("&")
const holds = (form) => createVerify("RSA-SHA256").update(signed(form), "utf8").verify(createPublicKey(input.key), form.sign, "base64")
assert.ok(holds(adapters), "the adapter's signature")
assert.ok(!holds({ ...adapters, return_url: "https://elsewhere.example" }))
assert.deepEqual([adapters.app_id, adapters.app_cert_sn, adapters.alipay_root_cert_sn], [input.appID, sdk.config.appCertSn, sdk.config.alipayRootCertSn])
const offered = JSON.parse(adapters.biz_content)
assert.deepEqual([offered.out_trade_no, offered.total_amount], [input.number, "380.00"])
assert.match(await (await fetch(input.page)).text(), new RegExp(`id="number">${input.number}`))

server.close()
process.stdout.write(JSON.stringify({ callbacks: callbacks.length, lines: rows.length }))
process.exit(0)

// unzip reads the files of an archive by its central directory; they are in GBK.
function unzip(archive) {
  const end = archive.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"))
  const found = []
  let at = archive.readUInt32LE(end + 16)
  for (let i = 0; i < archive.readUInt16LE(end + 10); i++) {
    const method = archive.readUInt16LE(at + 10)
    const size = archive.readUInt32LE(at + 20)
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset))
    const local = archive.readUInt32LE(at + 42)
    const begin = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
    const content = archive.subarray(begin, begin + size)
    found.push(new TextDecoder("gbk").decode(method === 8 ? inflateRawSync(content) : content))
    at += 46 + nameLength + extra + comment
  }
  return found
}
