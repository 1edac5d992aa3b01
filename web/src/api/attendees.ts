/** Whom tickets are for, where they are sold to named people. */

export type DocumentType = 'resident_id' | 'passport' | 'hk_macao_permit' | 'taiwan_permit' | 'permanent_resident_id'

/** Who a ticket is for. What the server answers with is masked. */
export interface Attendee {
  name: string
  document_type: DocumentType
  document_number: string
}

/** How attendees are named; absent where they are not. */
export interface RealNames {
  /** optional: for every ticket of an order, or for none. */
  need: 'optional' | 'required'
  /** When attendees can last be changed. */
  change_until: string
}
