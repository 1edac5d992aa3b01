import type { Attendee, DocumentType } from '../api/attendees'

/** The documents a form offers, the most usual first. */
export const documentTypes: DocumentType[] = ['resident_id', 'passport', 'hk_macao_permit', 'taiwan_permit', 'permanent_resident_id']

/** What is wrong with a field of an attendee, as a key under `attendee.faults`. */
export type AttendeeFault = 'name_missing' | 'name_long' | 'name_form' | 'number_missing' | 'check' | 'twice' | DocumentType

export type AttendeeFaults = { name?: AttendeeFault; number?: AttendeeFault }

export const noAttendee = (): Attendee => ({ name: '', document_type: 'resident_id', document_number: '' })

/** A number the one way it is compared: full-width characters as ordinary ones, capitals, nothing in between. */
export function normalNumber(typed: string): string {
  return typed
    .replace(/[！-～]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .replace(/[\s\u2010\u2011\u2013-]/g, '')
    .toUpperCase()
}

/** The last place of a number of 18 places, by ISO/IEC 7064, MOD 11-2. */
export function checkDigit(digits: string): string {
  let sum = 0
  for (const digit of digits) sum = ((sum + Number(digit)) * 2) % 11
  return '0123456789X'.charAt((12 - sum) % 11)
}

const rightEnd = (number: string) => checkDigit(number.slice(0, 17)) === number.charAt(17)

/** What is wrong with a number as typed; the server has the last word, and looks at the date of birth, too. */
function checkNumber(type: DocumentType, typed: string): AttendeeFault | undefined {
  const number = normalNumber(typed)
  if (!number) return 'number_missing'
  switch (type) {
    case 'resident_id':
      if (!/^[1-8]\d{16}[\dX]$/.test(number)) return type
      return rightEnd(number) ? undefined : 'check'
    case 'permanent_resident_id':
      if (/^[A-Z]{3}\d{12}$/.test(number)) return undefined
      if (!/^9\d{16}[\dX]$/.test(number)) return type
      return rightEnd(number) ? undefined : 'check'
    case 'passport':
      return /^(?=.*\d)[A-Z\d]{5,9}$/.test(number) ? undefined : type
    case 'hk_macao_permit':
      return /^[HM](\d{8}|\d{10})$/.test(number) ? undefined : type
    case 'taiwan_permit':
      return /^\d{8}$/.test(number) ? undefined : type
  }
}

/** Checks one attendee as typed. */
export function checkAttendee(attendee: Attendee): AttendeeFaults {
  const faults: AttendeeFaults = {}
  const name = attendee.name.trim()
  if (!name) faults.name = 'name_missing'
  else if ([...name].length > 100) faults.name = 'name_long'
  else if (/\p{Nd}/u.test(name) || !/\p{L}/u.test(name)) faults.name = 'name_form'
  const number = checkNumber(attendee.document_type, attendee.document_number)
  if (number) faults.number = number
  return faults
}

/** Checks those of an order: each on its own, and that nobody is named twice. */
export function checkAttendees(attendees: Attendee[]): AttendeeFaults[] {
  const seen = new Set<string>()
  return attendees.map((attendee) => {
    const faults = checkAttendee(attendee)
    const person = `${attendee.document_type}:${normalNumber(attendee.document_number)}`
    if (!faults.number && seen.has(person)) faults.number = 'twice'
    seen.add(person)
    return faults
  })
}

/** The attendees as the server wants them. */
export const attendeesOf = (attendees: Attendee[]): Attendee[] =>
  attendees.map((a) => ({ name: a.name.trim(), document_type: a.document_type, document_number: normalNumber(a.document_number) }))

/** Which attendee of an order, or which of its fields, an answer of the server is about. */
export function attendeeField(field: string | undefined): { index: number; part: 'name' | 'number' } | undefined {
  const match = /^\/attendees\/(\d+)(?:\/(\w+))?$/.exec(field ?? '')
  if (!match) return undefined
  return { index: Number(match[1]), part: match[2] === 'name' ? 'name' : 'number' }
}
