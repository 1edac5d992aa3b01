import type { LostSeats } from '../api/seats'
import type { Ask, TicketType } from '../api/types'
import type { Plan } from './plan'
import type { SeatStates } from './states'

/** Why a seat cannot be added to a choice. */
export type Refusal = 'taken' | 'not_sold' | 'limit_type' | 'limit_order'

export interface Rules {
  types: TicketType[]
  /** The most tickets of one order. */
  perOrder: number
  /** How many tickets of the event lines are: one of a bundle may be several. */
  count(lines: Ask[]): number
  /** How many over the bound per buyer a member may have. */
  extra?: number
  /** Whether a type can be bought now. */
  open(type: TicketType): boolean
}

/** The most tickets of a type that one buyer may have. */
export const mostOfBuyer = (type: TicketType, extra = 0): number => (type.max_per_buyer ? type.max_per_buyer + extra : Infinity)

/** The most tickets of a type that one order may have. */
export const mostOf = (type: TicketType, extra?: number): number => Math.min(type.max_per_order, mostOfBuyer(type, extra))

/** The choice with another line for a type, or without it; the other lines stay as they are. */
export function withLine(lines: Ask[], line: Ask): Ask[] {
  const rest = lines.filter((l) => l.ticket_type_id !== line.ticket_type_id)
  return line.quantity > 0 ? [...rest, line] : rest
}

/** A line of chosen seats. */
export function seatLine(type: string, seats: string[]): Ask {
  return { ticket_type_id: type, quantity: seats.length, seat_ids: seats }
}

/** The seats chosen, of all lines. */
export function chosenIds(lines: Ask[]): string[] {
  return lines.flatMap((l) => l.seat_ids ?? [])
}

/**
 * Adds a seat to a choice, or takes it out. The first seat chosen of a type
 * takes the place of a number of tickets whose seats were to be given.
 */
export function toggle(lines: Ask[], seat: number, plan: Plan, states: SeatStates, rules: Rules): Ask[] | Refusal {
  const id = plan.idOf(seat)
  const type = rules.types.find((t) => t.id === plan.typeOf(seat))
  if (!type) return 'not_sold'
  const chosen = lines.find((l) => l.ticket_type_id === type.id)?.seat_ids ?? []
  if (chosen.includes(id)) {
    return withLine(lines, seatLine(type.id, chosen.filter((x) => x !== id)))
  }
  if (!rules.open(type)) return 'not_sold'
  if (!states.isFree(seat)) return 'taken'
  if (chosen.length >= mostOf(type, rules.extra)) return 'limit_type'
  const others = lines.filter((l) => l.ticket_type_id !== type.id)
  if (rules.count(others) + chosen.length >= rules.perOrder) return 'limit_order'
  return withLine(lines, seatLine(type.id, [...chosen, id]))
}

/** The choice without some seats. */
export function without(lines: Ask[], ids: string[]): Ask[] {
  return lines
    .map((l) => (l.seat_ids ? seatLine(l.ticket_type_id, l.seat_ids.filter((id) => !ids.includes(id))) : l))
    .filter((l) => l.quantity > 0)
}

/** The chosen seats that somebody else has now, and ids that are no seats of this map. */
export function lostOf(lines: Ask[], plan: Plan, states: SeatStates): string[] {
  return chosenIds(lines).filter((id) => {
    const seat = plan.find(id)
    return seat === undefined || !states.isFree(seat)
  })
}

/** The choice with what the server offers in place of the line that lost a seat; undefined where it offers nothing. */
export function replaced(lines: Ask[], { taken, alternative }: LostSeats): Ask[] | undefined {
  const hit = lines.find((l) => l.seat_ids?.some((id) => taken.includes(id)))
  return hit && alternative ? lines.map((l) => (l === hit ? seatLine(l.ticket_type_id, alternative) : l)) : undefined
}
