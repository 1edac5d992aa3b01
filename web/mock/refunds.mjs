// The refunds of the development mock: the same ladder, the same words, no gateway.
import { randomBytes } from 'node:crypto'

const stamp = (t = Date.now()) => new Date(t).toISOString()

/** What of an order goes back now for some tickets, or why not. */
export function quote(order, ids) {
  const valid = order.tickets.filter((t) => t.state === 'VALID')
  const chosen = ids ? order.tickets.filter((t) => ids.includes(t.id)) : valid
  const { free, steps } = order.refund_policy
  const step = steps.find((s) => Date.now() <= Date.parse(s.until))
  if (chosen.some((t) => t.state === 'VOID')) return { code: 'conflict', detail: 'this ticket has been given back already' }
  if (!chosen.length || (!free && !step)) return { code: 'not_refundable', detail: 'tickets do not go back' }
  const money = (amount) => ({ amount, currency: order.total.currency })
  const lines = chosen.map((t) => {
    const line = order.lines.find((l) => l.ticket_type_id === t.ticket_type_id)
    const paid = line.amount.amount / line.quantity
    const fee = free ? 0 : Math.round((paid * step.fee_basis_points) / 10_000)
    return { ticket_id: t.id, paid: money(paid), fee: money(fee), amount: money(paid - fee) }
  })
  const sum = (name) => lines.reduce((n, l) => n + l[name].amount, 0)
  const share = free ? Math.round((order.order_fee.amount * lines.length) / order.tickets.length) : 0
  return {
    tickets: lines, order_fee: money(share), paid: money(sum('paid')), fee: money(sum('fee')), amount: money(sum('amount') + share), free,
    ...(free ? {} : { until: step.until }),
  }
}

/** Takes tickets back. They are void at once; the money arrives a little later, unless the order is told to fail. */
export function refund(order, body, say) {
  const quoted = quote(order, body.ticket_ids)
  if (quoted.code) return quoted
  if (quoted.amount.amount !== body.expected_amount.amount) return { code: 'price_changed', detail: 'another amount goes back' }
  const made = {
    id: randomBytes(13).toString('hex').toUpperCase(), attempt_id: order.attempts.at(-1).id, amount: quoted.amount, fee: quoted.fee,
    ticket_ids: quoted.tickets.map((l) => l.ticket_id), state: 'PENDING', reason: quoted.free ? 'event' : 'requested', created_at: stamp(),
  }
  for (const t of order.tickets) if (made.ticket_ids.includes(t.id)) { t.state = 'VOID'; t.refund_id = made.id }
  order.refunds.push(made)
  order.state = 'REFUNDING'
  say(order, 'refund_requested', { amount: made.amount.amount, currency: made.amount.currency, tickets: made.ticket_ids.length, fee: made.fee.amount })
  setTimeout(() => settle(order, made, say), 6000)
  return made
}

function settle(order, made, say) {
  if (order.refundsFail) {
    made.state = 'FAILED'
    say(order, 'refund_failed', { amount: made.amount.amount })
    return say(order, 'needs_attention', { step: 'refund', needed: true })
  }
  made.state = 'SUCCEEDED'
  made.settled_at = stamp()
  if (order.refunds.every((r) => r.state === 'SUCCEEDED')) {
    order.state = order.tickets.some((t) => t.state === 'VALID') ? 'PARTIALLY_REFUNDED' : 'REFUNDED'
  }
  say(order, 'refund_settled', { amount: made.amount.amount })
}
