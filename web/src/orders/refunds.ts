import { policiesOf } from './bundles'
import type { Order, RefundPolicy, RefundStep, Ticket } from '../api/types'

// What a page may say before it asks. Whether tickets really go back, and for how much, the server decides.

/** Why tickets stay, as a key under `refund.refusals`. */
export type Refusal = 'never' | 'too_late' | 'disputed' | 'none_left' | 'other'

/** The step of a ladder that applies at a moment (milliseconds); undefined before none and after the last. */
export function stepAt(policy: RefundPolicy, now: number): RefundStep | undefined {
  return policy.steps.find((step) => now <= Date.parse(step.until))
}

/** The tickets of an order that can still go back. */
export const validTickets = (order: Order): Ticket[] => order.tickets.filter((t) => t.state === 'VALID')

/** Why nothing of an order goes back now; undefined when something may. */
export function refusalOf(order: Order, now: number): Refusal | undefined {
  if (!['PAID', 'PARTIALLY_REFUNDED', 'REFUNDING'].includes(order.state)) return 'other'
  if (order.tickets.some((t) => t.state === 'FROZEN')) return 'disputed'
  if (validTickets(order).length === 0) return 'none_left'
  const policies = policiesOf(order).map((p) => p.policy)
  if (policies.length === 0 || policies.some((policy) => policy.free || stepAt(policy, now))) return undefined
  return policies.every((policy) => policy.steps.length === 0) ? 'never' : 'too_late'
}

/** The share of the price that comes back at a step, from 0 to 1. */
export const shareBack = (step: RefundStep): number => (10_000 - step.fee_basis_points) / 10_000
