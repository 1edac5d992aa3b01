import type { RefundPolicy, Text, Venue } from './types'

/** What is in a ticket type that is sold as one, and until when it goes back: as a whole. */
export interface Bundle {
  contents: BundleContent[]
  refund_policy: RefundPolicy
}

/** A session to which something admits; of one that is not listed only the id is known. */
export interface Admission {
  session_id: string
  event_id?: string
  event_title?: Text
  starts_at?: string
  venue?: Venue
}

export interface BundleContent extends Admission {
  ticket_type_id: string
  name: Text
  quantity: number
}
