import type { Order, PricedLine, RefundPolicy, Text, Ticket, TicketType } from '../api/types'
import { inSale } from './windows'

// Bundles: ticket types sold as one, with a ticket for each thing in them.

/** How many tickets of its event one of a type counts as. */
export function ticketsOf(type: TicketType, eventId: string): number {
  if (!type.bundle) return 1
  return type.bundle.contents.reduce((sum, c) => sum + (c.event_id === eventId ? c.quantity : 0), 0)
}

/** Whether nothing keeps a type from being sold in its sale window: for a bundle, the server says so. */
export function sells(type: TicketType, now: number): boolean {
  return !type.bundle || !inSale(type, now) || type.on_sale
}

/** The tickets that go back with one: itself, or all of its bundle. */
export function togetherWith(order: Order, id: string): string[] {
  const one = order.tickets.find((t) => t.id === id)
  if (!one?.bundle) return [id]
  return order.tickets.filter((t) => sameBundle(t, one)).map((t) => t.id)
}

const sameBundle = (a: Ticket, b: Ticket) => a.ticket_type_id === b.ticket_type_id && a.bundle?.number === b.bundle?.number

/** Whether an order has several bundles of the ticket's kind, so that they need numbers. */
export const numbered = (order: Order, ticket: Ticket) =>
  order.tickets.some((t) => t.ticket_type_id === ticket.ticket_type_id && t.bundle && t.bundle.number !== ticket.bundle?.number)

/** The rules by which tickets go back: those of their session, and those of each bundle, which have a name. */
export function policiesOf(bought: { lines: PricedLine[]; refund_policy?: RefundPolicy }): { name?: Text; policy: RefundPolicy }[] {
  const bundles = bought.lines.flatMap((l) => (l.bundle ? [{ name: l.name, policy: l.bundle.refund_policy }] : []))
  const own = bought.refund_policy && (bundles.length === 0 || bundles.length < bought.lines.length) ? [{ policy: bought.refund_policy }] : []
  return [...own, ...bundles]
}

/** Whether something of an order goes back for free: it was called off, or has changed. */
export const calledOff = (order: Order): boolean => policiesOf(order).some((p) => p.policy.free)
