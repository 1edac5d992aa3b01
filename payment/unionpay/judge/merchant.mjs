// A merchant at UnionPay's gateway, as its documents describe one. It reads what it is on standard input, pays, asks, refunds and fetches
// the bill at the gateway it finds there, verifies everything the gateway signs, and says on standard output what it saw.
import assert from "node:assert/strict"
import { createHash, createSign, createVerify, X509Certificate } from "node:crypto"
import { createServer } from "node:http"
import { text } from "node:stream/consumers"
import { inflateRawSync, inflateSync } from "node:zlib"

const input = JSON.parse(await text(process.stdin))
const own = new X509Certificate(input.certificate)
const certId = BigInt("0x" + own.serialNumber).toString()

const textOf = (message) =>
  Object.keys(message).filter((name) => name !== "signature").sort().map((name) => `${name}=${message[name]}`).join("&")
const digestOf = (message) => createHash("sha256").update(textOf(message), "utf8").digest("hex")

function sign(message) {
  const whole = { ...message, certId }
  whole.signature = createSign("RSA-SHA256").update(digestOf(whole)).sign(input.key, "base64")
  return whole
}

function signedBy(message, publicKey) {
  return createVerify("RSA-SHA256").update(digestOf(message)).verify(publicKey, message.signature, "base64")
}

// verify does what the developer kits do: the chain, the name, the validity, the signature.
function verify(message) {
  const signer = new X509Certificate(message.signPubKeyCert)
  const middle = new X509Certificate(input.intermediates)
  const root = new X509Certificate(input.roots)
  assert.ok(signer.checkIssued(middle) && signer.verify(middle.publicKey), "the intermediate issued it")
  assert.ok(middle.checkIssued(root) && middle.verify(root.publicKey), "the root issued the intermediate")
  const now = Date.now()
  assert.ok(Date.parse(signer.validFrom) <= now && now <= Date.parse(signer.validTo), "valid now")
  const common = signer.subject.split("\n").find((line) => line.startsWith("CN="))
  assert.equal(common.slice(3).split("@")[2], "中国银联股份有限公司")
  assert.ok(signedBy(message, signer.publicKey), `signature of ${textOf(message)}`)
  assert.ok(!signedBy({ ...message, merId: "777290058110097" }, signer.publicKey), "another merchant's would be noticed")
  return message
}

// An answer looks like a form, but nothing in it is escaped.
function parseAnswer(body) {
  return Object.fromEntries(body.split("&").map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]))
}

async function post(path, message) {
  const response = await fetch(input.url + path, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8" },
    body: new URLSearchParams(message).toString(),
  })
  assert.equal(response.status, 200)
  return await response.text()
}

const ask = async (path, message) => verify(parseAnswer(await post(path, sign(message))))
const stamp = (at) => new Date(at.getTime() + 8 * 3600e3).toISOString().replace(/[-:T]/g, "").slice(0, 14)
const unescapeHTML = (s) =>
  s.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(code)).replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&#x([0-9a-f]+);/gi, (_, code) => String.fromCodePoint(parseInt(code, 16))).replace(/&quot;/g, '"').replace(/&amp;/g, "&")

// The merchant's own address, where callbacks arrive.
const callbacks = []
let arrived = () => {}
const server = createServer(async (request, response) => {
  const message = Object.fromEntries(new URLSearchParams(await text(request)))
  callbacks.push(message)
  response.end("ok")
  arrived()
})
await new Promise((ready) => server.listen(0, "127.0.0.1", ready))
const backUrl = `http://127.0.0.1:${server.address().port}/notify`
const callbackAbout = async (orderId) => {
  for (;;) {
    const found = callbacks.find((message) => message.orderId === orderId)
    if (found) return verify(found)
    await new Promise((resolve) => (arrived = resolve))
  }
}

const common = { version: "5.1.0", encoding: "UTF-8", signMethod: "01", accessType: "0", merId: input.merchant }
const order = {
  ...common, txnType: "01", txnSubType: "01", bizType: "000201", channelType: "07", currencyCode: "156", txnAmt: "38000",
  orderId: "NODE" + Date.now(), txnTime: stamp(new Date()), payTimeout: stamp(new Date(Date.now() + 600e3)),
  backUrl, frontUrl: backUrl + "?returned=1", reqReserved: "透传信息1|2", riskRateInfo: "{commodityName=测试商品名称}",
}
const query = (orderId, txnTime) =>
  ask("/gateway/api/queryTrans.do", { ...common, txnType: "00", txnSubType: "00", bizType: "000000", orderId, txnTime })

// A wrong signature, and an order nobody made.
const tampered = verify(parseAnswer(await post("/gateway/api/queryTrans.do", {
  ...sign({ ...common, txnType: "00", txnSubType: "00", bizType: "000000", orderId: order.orderId, txnTime: order.txnTime }), orderId: "NODE00000001",
})))
assert.equal(tampered.respCode, "11")
assert.equal((await query(order.orderId, order.txnTime)).respCode, "34")

// The payer's browser.
const page = await post("/gateway/api/frontTransReq.do", sign(order))
const open = await query(order.orderId, order.txnTime)
assert.deepEqual([open.respCode, open.origRespCode, open.reqReserved], ["00", "05", order.reqReserved])
const back = await post(/action="(\/cashier\/[A-Z0-9]+\/pay)"/.exec(page)[1], {})
const returned = Object.fromEntries([...back.matchAll(/name="([^"]*)" value="([^"]*)"/g)].map(([, name, value]) => [unescapeHTML(name), unescapeHTML(value)]))
verify(returned)

const paid = await callbackAbout(order.orderId)
assert.deepEqual([paid.txnType, paid.respCode, paid.txnAmt, paid.currencyCode, paid.txnTime, paid.reqReserved], ["01", "00", "38000", "156", order.txnTime, order.reqReserved])
const queried = await query(order.orderId, order.txnTime)
assert.deepEqual([queried.origRespCode, queried.queryId, queried.txnAmt, queried.traceTime], ["00", paid.queryId, "38000", paid.traceTime])

// A refund, twice, and one above what was paid.
const refund = {
  ...common, txnType: "04", txnSubType: "00", bizType: "000201", channelType: "07", orderId: "NODER" + Date.now(), txnTime: stamp(new Date()),
  txnAmt: "100", origQryId: paid.queryId, backUrl, reqReserved: order.orderId,
}
assert.equal((await ask("/gateway/api/backTransReq.do", refund)).respCode, "00")
assert.equal((await ask("/gateway/api/backTransReq.do", refund)).respCode, "12")
assert.equal((await ask("/gateway/api/backTransReq.do", { ...refund, orderId: refund.orderId + "X", txnAmt: "37901" })).respCode, "33")
const refunded = await callbackAbout(refund.orderId)
assert.deepEqual([refunded.txnType, refunded.respCode, refunded.txnAmt, refunded.origQryId], ["04", "00", "100", paid.queryId])
assert.equal((await query(refund.orderId, refund.txnTime)).origRespCode, "00")

// The bill. A settlement day ends at 23:00 in Beijing.
const settleDate = paid.settleDate
const bill = await ask("/", { ...common, txnType: "76", txnSubType: "01", bizType: "000000", fileType: "00", settleDate, txnTime: stamp(new Date()) })
assert.equal(bill.respCode, "00")
const files = unzip(inflateSync(Buffer.from(bill.fileContent, "base64")))
const name = Object.keys(files).find((name) => name.includes("ZM_" + input.merchant))
const widths = [3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15, 32, 13, 13, 8, 32, 13, 13, 12, 2, 1, 32, 98]
const lines = files[name].toString("latin1").split("\r\n").filter((line) => line !== "").map((line) => {
  assert.equal(line.length, widths.reduce((sum, width) => sum + width, widths.length - 1))
  let from = 0
  return widths.map((width) => {
    const column = line.slice(from, from + width).trim()
    from += width + 1
    return column
  })
})
assert.deepEqual(lines.map((c) => [c[6], c[9], c[11], c[19], c[26], c[27]]), [
  ["000000038000", paid.queryId, order.orderId, "01", "", input.merchant],
  ["000000000100", refunded.queryId, refund.orderId, "04", paid.queryId, input.merchant],
])

// What the adapter signs.
assert.equal(input.form.certId, certId)
assert.ok(signedBy(input.form, own.publicKey), "the adapter's signature")
assert.ok(!signedBy({ ...input.form, txnAmt: "1" }, own.publicKey))

server.close()
process.stdout.write(JSON.stringify({ callbacks: callbacks.length, lines: lines.length, file: name }))
process.exit(0)

// unzip reads an archive by its central directory.
function unzip(archive) {
  const end = archive.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"))
  const found = {}
  let at = archive.readUInt32LE(end + 16)
  for (let i = 0; i < archive.readUInt16LE(end + 10); i++) {
    const method = archive.readUInt16LE(at + 10)
    const size = archive.readUInt32LE(at + 20)
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset))
    const local = archive.readUInt32LE(at + 42)
    const begin = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
    const content = archive.subarray(begin, begin + size)
    found[archive.toString("utf8", at + 46, at + 46 + nameLength)] = method === 8 ? inflateRawSync(content) : content
    at += 46 + nameLength + extra + comment
  }
  return found
}
