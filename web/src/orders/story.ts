import type { Attempt, Order, Refund, TimelineEntry } from '../api/types'
import { calledOff } from './bundles'

/** The chapter an order is in; each has its words under `state` in every language. */
export type Chapter =
  | 'pending'
  | 'paying'
  | 'declined'
  | 'mismatch'
  | 'closing'
  | 'review'
  | 'paid'
  | 'free'
  | 'paid_late'
  | 'paid_twice'
  | 'paid_mismatch'
  | 'called_off'
  | 'disputed'
  | 'issuing'
  | 'refused'
  | 'cancelled'
  | 'expired'
  | 'late_checking'
  | 'late_refunding'
  | 'late_refunded'
  | 'amount_refunding'
  | 'amount_refunded'
  | 'unmatched_refunding'
  | 'unmatched_refunded'
  | 'failed'
  | 'failed_refunded'
  | 'refunding'
  | 'refunding_part'
  | 'refund_person'
  | 'partially_refunded'
  | 'refunded'
  | 'dispute_lost'
  | 'exchanged'

/** How a chapter looks: waiting for the buyer, working, good, neutral end, bad end. */
export type Tone = 'act' | 'wait' | 'good' | 'calm' | 'bad'

export const tones: Record<Chapter, Tone> = {
  pending: 'act',
  paying: 'act',
  declined: 'act',
  mismatch: 'act',
  closing: 'wait',
  review: 'wait',
  paid: 'good',
  free: 'good',
  paid_late: 'good',
  paid_twice: 'good',
  paid_mismatch: 'good',
  called_off: 'act',
  disputed: 'bad',
  issuing: 'good',
  refused: 'bad',
  cancelled: 'calm',
  expired: 'calm',
  late_checking: 'wait',
  late_refunding: 'wait',
  late_refunded: 'calm',
  amount_refunding: 'wait',
  amount_refunded: 'calm',
  unmatched_refunding: 'wait',
  unmatched_refunded: 'calm',
  failed: 'bad',
  failed_refunded: 'calm',
  refunding: 'wait',
  refunding_part: 'wait',
  refund_person: 'wait',
  partially_refunded: 'good',
  refunded: 'calm',
  dispute_lost: 'calm',
  exchanged: 'calm',
}

/** A refund as its buyer may know it: a failed one is in the hands of a person, not lost. */
export function refundState(refund: Pick<Refund, 'state'>): 'done' | 'pending' | 'person' {
  if (refund.state === 'SUCCEEDED') return 'done'
  return refund.state === 'FAILED' ? 'person' : 'pending'
}

const reasons = ['requested', 'event', 'late', 'double', 'amount', 'stock_lost', 'unknown_order'] as const

/** Why money goes back, as a key under `refund.reasons`. */
export const refundReason = (reason: string): (typeof reasons)[number] | 'other' => reasons.find((r) => r === reason) ?? 'other'

/** Whether a refund gives tickets back, and not money that paid for none. */
export const ofTickets = (refund: Refund): boolean => refund.reason === 'requested' || refund.reason === 'event'

/** The attempt that waits for the buyer at a gateway, if any: the newest. */
export function openAttempt(order: Order, now: number): Attempt | undefined {
  return newest(order.attempts.filter((a) => a.state === 'PENDING' && Date.parse(a.expires_at) > now))
}

/** The newest attempt, if it came to nothing by itself: declined, closed, or not paid in its time. */
export function spentAttempt(order: Order): Attempt | undefined {
  const last = newest(order.attempts)
  return last && ['DECLINED', 'CLOSED', 'PENDING'].includes(last.state) ? last : undefined
}

/** The payment that pays the order. */
export const payingAttempt = (order: Order): Attempt | undefined => order.attempts.find((a) => a.state === 'ACCEPTED')

function newest(attempts: Attempt[]): Attempt | undefined {
  return [...attempts].sort((a, b) => a.created_at.localeCompare(b.created_at)).at(-1)
}

/** Why a payment that does not pay the order was not taken, once that is known. */
function rejection(order: Order, timeline: TimelineEntry[], attempt: Attempt | undefined): string | undefined {
  if (attempt?.state !== 'REJECTED' && attempt?.state !== 'REFUNDED') return undefined
  const refund = order.refunds.find((r) => r.attempt_id === attempt.id)
  const entry = timeline.find((e) => e.kind === 'payment_rejected' && e.detail?.attempt_id === attempt.id)
  return refund?.reason ?? (typeof entry?.detail?.reason === 'string' ? entry.detail.reason : 'unknown')
}

function pendingChapter(order: Order, timeline: TimelineEntry[], now: number): Chapter {
  if (order.pay_by && now >= Date.parse(order.pay_by)) return 'closing'
  if (openAttempt(order, now)) return 'paying'
  const last = newest(order.attempts)
  if (rejection(order, timeline, last)) return 'mismatch'
  return last?.state === 'DECLINED' ? 'declined' : 'pending'
}

/** An order that ended unpaid: did money come all the same, and where is it now? */
function closedChapter(order: Order, timeline: TimelineEntry[], quiet: Chapter): Chapter {
  const { refunds } = order
  if (refunds.length > 0) {
    const done = refunds.every((r) => refundState(r) === 'done')
    const why = (reason: string) => refunds.some((r) => r.reason === reason)
    if (why('late')) return done ? 'late_refunded' : 'late_refunding'
    if (why('amount')) return done ? 'amount_refunded' : 'amount_refunding'
    return done ? 'unmatched_refunded' : 'unmatched_refunding'
  }
  // Money is here, and it is not yet decided whether it takes the same tickets again or goes back.
  if (order.attempts.some((a) => a.state === 'REJECTED')) return 'late_checking'
  return timeline.some((e) => e.kind === 'late_payment') ? 'late_checking' : quiet
}

function paidChapter(order: Order, timeline: TimelineEntry[]): Chapter {
  if (order.tickets.length === 0) return 'issuing'
  if (calledOff(order)) return 'called_off'
  const extra = order.attempts.map((a) => rejection(order, timeline, a)).filter((r) => r !== undefined)
  if (extra.length > 0) return extra.includes('amount') ? 'paid_mismatch' : 'paid_twice'
  if (order.total.amount === 0) return 'free'
  return timeline.some((e) => e.kind === 'retaken') ? 'paid_late' : 'paid'
}

function refundingChapter(order: Order): Chapter {
  if (order.refunds.some((r) => ofTickets(r) && refundState(r) === 'person')) return 'refund_person'
  return order.tickets.some((t) => t.state === 'VALID') ? 'refunding_part' : 'refunding'
}

/** Tells where an order stands from facts the server confirmed; `now` is the server's time in milliseconds. */
export function chapterOf(order: Order, timeline: TimelineEntry[], now: number): Chapter {
  if (order.tickets.some((t) => t.state === 'FROZEN')) return 'disputed'
  switch (order.state) {
    case 'PENDING':
      return pendingChapter(order, timeline, now)
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
      return refundingChapter(order)
    case 'PARTIALLY_REFUNDED':
      return calledOff(order) && order.tickets.some((t) => t.state === 'VALID') ? 'called_off' : 'partially_refunded'
    case 'REFUNDED':
      // A ticket that no refund of ours gave back was taken back by the buyer's bank.
      return order.tickets.some((t) => !t.refund_id) ? 'dispute_lost' : 'refunded'
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
