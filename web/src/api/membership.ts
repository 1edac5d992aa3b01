import type { Money, Text } from './types'

/** An organiser's membership. */
export interface Programme {
  id: string
  name: Text
  /** What has to be paid for tickets to make a point. */
  spend_per_point: Money
  /** The lowest first. */
  levels: { name: Text; points: number; discount_basis_points: number; lead_hours: number; extra_tickets: number }[]
}

/** What a paid order did for a membership; all after `earned` only where whoever has the order may know it. */
export interface Membership {
  programme_id: string
  programme: Text
  earned: number
  code?: string
  points?: number
  level?: { name: Text; points: number }
  next?: { name: Text; points: number }
}
