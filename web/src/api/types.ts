/** What the API sends and takes; the contract is api/openapi.yaml. */
import type { Attendee, RealNames } from './attendees'
import type { Membership, Programme } from './membership'

import type { Admission, Bundle } from './bundles'
import type { LostSeats, SeatMapRef } from './seats'

/** An amount in minor units of its currency: 38000 CNY is 380.00 yuan. */
export interface Money {
  amount: number
  currency: string
}

export type Language = 'en' | 'zh-CN'

/** A text for people, keyed by language. */
export type Text = Partial<Record<Language, string>>

export const kinds = ['cinema', 'concert', 'theatre', 'sport', 'journey'] as const
export type Kind = (typeof kinds)[number]

export type EventState = 'DRAFT' | 'ON_SALE' | 'PAUSED' | 'ENDED' | 'CANCELLED' | 'POSTPONED'

export interface EventSummary {
  id: string
  kind: Kind
  title: Text
  summary: Text
  organiser: string
  state: EventState
  city: Text
  venue: Text
  time_zone: string
  first_session_at: string
  last_session_at: string
  price_from: Money
  available: number
}

export interface EventList {
  events: EventSummary[]
  next_cursor?: string
}

export interface EventFilter {
  from?: string
  to?: string
  city?: string
  kind?: string
  q?: string
  limit?: number
  cursor?: string
}

export interface Venue {
  id: string
  name: Text
  city: Text
  address: Text
  time_zone: string
}

export interface TicketType {
  id: string
  session_id: string
  name: Text
  /** What one ticket costs now: base price and surcharge. */
  price: Money
  base_price: Money
  surcharge: Money
  /** left: how many are left at this price, where they are limited. */
  phase?: { name: Text; until: string; left?: number } | null
  max_per_order: number
  /** By one mail address or phone number, over all orders. */
  max_per_buyer?: number
  /** Who has an access code may buy it before its sale, until then. */
  presale_until?: string
  /** When members may buy it first, where some may before others and its sale has not begun. */
  members_from?: string
  sale_from: string
  sale_until: string
  on_sale: boolean
  capacity: number
  available: number
  /** The category of the seat map that it sells. */
  seat_category?: string
  /** Its tickets are for numbered seats, chosen or assigned. */
  seated: boolean
  /** What is in it, if it is a bundle. */
  bundle?: Bundle
}

export interface Session {
  id: string
  event_id: string
  venue: Venue
  starts_at: string
  ends_at: string
  refund_policy: RefundPolicy
  real_names?: RealNames
  ticket_types: TicketType[]
  /** Absent where seats have no numbers. */
  seat_map?: SeatMapRef
}

/** What giving tickets back costs: each step until its moment, and after the last, or without any, they stay. */
export interface RefundPolicy {
  /** Overrides the steps: everything goes back, the order fee with it. */
  free: boolean
  steps: RefundStep[]
}

export interface RefundStep {
  until: string
  /** Kept of the price paid for a ticket: 500 is five per cent. */
  fee_basis_points: number
}

export interface EventHead {
  id: string
  kind: Kind
  title: Text
  summary: Text
  organiser: string
  state: EventState
  max_per_order: number
  order_fee: Money
  hold_seconds: number
  /** Absent where the organiser has none. */
  membership?: Programme
}

export interface EventDetail extends EventHead {
  sessions: Session[]
}

export interface SessionDetail {
  event: EventHead
  session: Session
}

export interface Availability {
  session_id: string
  as_of: string
  ticket_types: { id: string; available: number; capacity: number }[]
}

export interface Ask {
  ticket_type_id: string
  quantity: number
  /** The seats the buyer has chosen, as many as quantity; without them they are given, side by side. */
  seat_ids?: string[]
  /** Seats that are given may be apart. */
  apart?: boolean
}

export interface PricedLine {
  ticket_type_id: string
  quantity: number
  name: Text
  base_price: Money
  surcharge: Money
  amount: Money
  /** What a membership and vouchers take off the line. */
  discount: Money
  /** The fees per ticket of the line. */
  fee: Money
  /** What one of it contains, if it is a bundle. */
  bundle?: Bundle
}

/** total = amounts − discounts + fees + order fee, and the tax where the prices do not have it in them. */
export interface Quote {
  lines: PricedLine[]
  order_fee: Money
  /** Absent where there is none; 600 basis points are 6 %. */
  tax?: { basis_points: number; included: boolean; amount: Money }
  /** What a membership takes off, before any voucher; absent without a member code. */
  member?: { programme: Text; level?: Text; discount: Money; extra_tickets: number }
  /** In the order in which they apply. */
  vouchers: { id: string; name: Text; discount: Money }[]
  total: Money
}

/** What a buyer has typed: codes of vouchers, one that opens a presale, and one of a membership. */
export interface Codes {
  vouchers?: string[]
  access_code?: string
  member_code?: string
}

export interface Buyer {
  name: string
  email: string
  phone?: string
}

export interface NewOrder extends Codes {
  session_id: string
  lines: Ask[]
  buyer: Buyer
  /** Line by line, where the session asks for them. */
  attendees?: Attendee[]
  language?: Language
  expected_total?: Money
  /** To become a member when the order is paid. */
  join?: boolean
}

export type OrderState =
  | 'PENDING'
  | 'AWAITING_REVIEW'
  | 'PAID'
  | 'REFUSED'
  | 'CANCELLED'
  | 'EXPIRED'
  | 'FAILED'
  | 'REFUNDING'
  | 'PARTIALLY_REFUNDED'
  | 'REFUNDED'
  | 'EXCHANGED'

export type AttemptState =
  | 'CREATED'
  | 'PENDING'
  | 'DECLINED'
  | 'CLOSED'
  | 'ACCEPTED'
  | 'REJECTED'
  | 'REFUNDED'

export interface Attempt {
  id: string
  method: string
  provider: string
  state: AttemptState
  amount: Money
  pay_url?: string
  pay_form?: PayForm
  qr?: string
  created_at: string
  expires_at: string
}

/** Fields the browser POSTs to pay_url, in a form; absent where pay_url is a plain link. */
export type PayForm = Record<string, string>

export interface Ticket {
  id: string
  ticket_type_id: string
  name: Text
  /** FROZEN: its payment is disputed at the bank; it does not admit until that is decided. */
  state: 'VALID' | 'FROZEN' | 'VOID'
  /** The refund that gave it back, if one did. */
  refund_id?: string
  code: string
  /** The numbered seat it is for, if it is for one. */
  seat?: Seat
  /** Who it is for, if it is for somebody by name. */
  attendee?: Attendee
  /** The bundle it is of, if it is of one, and to what it admits. */
  bundle?: Admission & { number: number; name: Text }
  issued_at: string
}

/** A numbered seat. */
export interface Seat {
  id: string
  ticket_type_id: string
  section: Text
  row: string
  number: string
}

export type RefundState = 'PENDING' | 'SUCCEEDED' | 'FAILED'

export interface Refund {
  id: string
  attempt_id: string
  /** What goes back. */
  amount: Money
  /** What is kept of what was paid for the tickets. */
  fee: Money
  /** None for money that did not pay the order. */
  ticket_ids: string[]
  state: RefundState
  reason: string
  created_at: string
  settled_at?: string
}

/** What goes back for one ticket: amount = paid − fee. */
export interface RefundLine {
  ticket_id: string
  paid: Money
  fee: Money
  amount: Money
}

/** What goes back if these tickets go back now: amount = paid − fee + order_fee. */
export interface RefundQuote {
  tickets: RefundLine[]
  /** Given back of the order fee. */
  order_fee: Money
  paid: Money
  fee: Money
  amount: Money
  free: boolean
  /** The last moment at which it is quoted so; absent means for ever. */
  until?: string
}

export interface NewRefund {
  ticket_ids: string[]
  expected_amount: Money
}

export interface Order extends Quote {
  id: string
  state: OrderState
  session_id: string
  event_id: string
  event_title: Text
  /** Absent, like the venue, once the catalogue no longer has the session. */
  session_starts_at?: string
  venue?: Venue
  buyer: Buyer
  language: Language
  /** Absent when no tickets were ever held. */
  pay_by?: string
  server_time: string
  created_at: string
  updated_at: string
  revision: number
  /** Why no tickets were held, when the state is REFUSED. */
  refusal?: { code: string; message: string; field?: string; seats?: LostSeats; left?: number }
  methods: string[]
  attempts: Attempt[]
  tickets: Ticket[]
  /** The numbered seats it was given, in the order of the map. */
  seats?: Seat[]
  refunds: Refund[]
  /** Who its tickets are for, in their order. */
  attendees?: Attendee[]
  real_names?: RealNames
  /** Absent once the catalogue no longer has the session. */
  refund_policy?: RefundPolicy
  /** Absent unless the order is paid and makes points. */
  membership?: Membership
}

/** What POST /orders answers: the whole order with 201, only these fields for sure with 202. */
export interface PlacedOrder extends Partial<Order> {
  id: string
  state: OrderState
  token: string
}

export interface TimelineEntry {
  sequence: number
  kind: string
  state: OrderState
  at: string
  detail?: Record<string, unknown>
}

/** One telling of one thing that happened to an order. */
export interface Message {
  id: string
  kind: string
  channel: 'mail' | 'sms'
  /** The address or number, all but a few characters hidden. */
  to: string
  state: 'WAITING' | 'SENT' | 'DELIVERED' | 'FAILED' | 'UNSURE'
  created_at: string
  sent_at?: string
}

export interface StartedPayment {
  attempt_id: string
  method: string
  pay_url?: string
  pay_form?: PayForm
  qr?: string
  expires_at: string
}
