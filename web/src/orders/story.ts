import type { Attempt, Order, Refund, TimelineEntry } from '../api/types'

/** The chapter an order is in; each has its words under `state` in every language. */
export type Chapter =
  | 'pending'
  | 'paying'
  | 'declined'
  | 'closing'
  | 'review'
  | 'paid'
  | 'paid_late'
  | 'paid_twice'
  | 'issuing'
  | 'refused'
  | 'cancelled'
  | 'expired'
  | 'late_checking'
  | 'late_refunding'
  | 'late_refunded'
  | 'unmatched_refunding'
  | 'unmatched_refunded'
  | 'failed'
  | 'failed_refunded'
  | 'refunding'
  | 'partially_refunded'
  | 'refunded'
  | 'exchanged'

/** How a chapter looks: waiting for the buyer, working, good, neutral end, bad end. */
export type Tone = 'act' | 'wait' | 'good' | 'calm' | 'bad'

export const tones: Record<Chapter, Tone> = {
  pending: 'act',
  paying: 'act',
  declined: 'act',
  closing: 'wait',
  review: 'wait',
  paid: 'good',
  paid_late: 'good',
  paid_twice: 'good',
  issuing: 'good',
  refused: 'bad',
  cancelled: 'calm',
  expired: 'calm',
  late_checking: 'wait',
  late_refunding: 'wait',
  late_refunded: 'calm',
  unmatched_refunding: 'wait',
  unmatched_refunded: 'calm',
  failed: 'bad',
  failed_refunded: 'calm',
  refunding: 'wait',
  partially_refunded: 'calm',
  refunded: 'calm',
  exchanged: 'calm',
}

/** A refund as its buyer may know it: a failed one is in the hands of a person, not lost. */
export function refundState(refund: Pick<Refund, 'state'>): 'done' | 'pending' | 'person' {
  if (refund.state === 'SUCCEEDED') return 'done'
  return refund.state === 'FAILED' ? 'person' : 'pending'
}

/** Why money goes back, as a key under `order.refund_reasons`. */
export function refundReason(reason: string): 'late' | 'double' | 'amount' | 'stock_lost' | 'other' {
  switch (reason) {
    case 'late':
    case 'double':
    case 'amount':
    case 'stock_lost':
      return reason
    default:
      return 'other'
  }
}

/** The attempt that waits for the buyer at a gateway, if any: the newest. */
export function openAttempt(order: Order, now: number): Attempt | undefined {
  return newest(order.attempts.filter((a) => a.state === 'PENDING' && Date.parse(a.expires_at) > now))
}

function newest(attempts: Attempt[]): Attempt | undefined {
  return [...attempts].sort((a, b) => a.created_at.localeCompare(b.created_at)).at(-1)
}

function pendingChapter(order: Order, now: number): Chapter {
  if (order.pay_by && now >= Date.parse(order.pay_by)) return 'closing'
  if (openAttempt(order, now)) return 'paying'
  return newest(order.attempts)?.state === 'DECLINED' ? 'declined' : 'pending'
}

/** An order that ended unpaid: did money come all the same, and where is it now? */
function closedChapter(order: Order, timeline: TimelineEntry[], quiet: Chapter): Chapter {
  const { refunds } = order
  if (refunds.length > 0) {
    const done = refunds.every((r) => refundState(r) === 'done')
    if (refunds.some((r) => refundReason(r.reason) === 'late')) return done ? 'late_refunded' : 'late_refunding'
    return done ? 'unmatched_refunded' : 'unmatched_refunding'
  }
  // Money is here, and it is not yet decided whether it takes the same tickets again or goes back.
  if (order.attempts.some((a) => a.state === 'REJECTED')) return 'late_checking'
  return timeline.some((e) => e.kind === 'late_payment') ? 'late_checking' : quiet
}

function paidChapter(order: Order, timeline: TimelineEntry[]): Chapter {
  if (order.tickets.length === 0) return 'issuing'
  if (order.attempts.some((a) => a.state === 'REJECTED' || a.state === 'REFUNDED')) return 'paid_twice'
  return timeline.some((e) => e.kind === 'retaken') ? 'paid_late' : 'paid'
}

/** Tells where an order stands from facts the server confirmed; `now` is the server's time in milliseconds. */
export function chapterOf(order: Order, timeline: TimelineEntry[], now: number): Chapter {
  switch (order.state) {
    case 'PENDING':
      return pendingChapter(order, now)
    case 'AWAITING_REVIEW':
      return 'review'
    case 'PAID':
      return paidChapter(order, timeline)
    case 'REFUSED':
      return 'refused'
    case 'CANCELLED':
      return closedChapter(order, timeline, 'cancelled')
    case 'EXPIRED':
      return closedChapter(order, timeline, 'expired')
    case 'FAILED':
      return order.refunds.length > 0 && order.refunds.every((r) => refundState(r) === 'done')
        ? 'failed_refunded'
        : 'failed'
    case 'REFUNDING':
      return 'refunding'
    case 'PARTIALLY_REFUNDED':
      return 'partially_refunded'
    case 'REFUNDED':
      return 'refunded'
    case 'EXCHANGED':
      return 'exchanged'
  }
}

/** Whether a gateway's address may be opened: a web page, never a script. */
export function safePage(url: string | undefined): url is string {
  try {
    return !!url && ['https:', 'http:'].includes(new URL(url).protocol)
  } catch {
    return false
  }
}
