import type { TicketType } from '../api/types'

// When a ticket type is sold: in its sale window, and before that to those who have a code.

/** What the buyer's codes open of a type before its sale, as far as the page knows. */
export interface Early {
  /** An access code opens it. */
  opened?: boolean
  /** Being a member does. */
  toMember?: boolean
}

type Window = Pick<TicketType, 'sale_from' | 'sale_until' | 'presale_until' | 'members_from'>

export const inSale = (type: Window, now: number): boolean => now >= Date.parse(type.sale_from) && now < Date.parse(type.sale_until)

/** Whether who has an access code may buy it before its sale. */
export const inPresale = (type: Window, now: number): boolean =>
  !!type.presale_until && now < Date.parse(type.presale_until) && now < Date.parse(type.sale_from)

/** Whether some members may buy it before its sale; who of them, the server knows. */
export const soldToMembers = (type: Window, now: number): boolean =>
  !!type.members_from && now >= Date.parse(type.members_from) && now < Date.parse(type.sale_from)

/** Whether this buyer may buy it before its sale. */
export const soldEarly = (type: Window, now: number, early: Early): boolean =>
  (early.opened === true && inPresale(type, now)) || (early.toMember === true && soldToMembers(type, now))
