import type { Buyer } from '../api/types'
import type { Draft } from './intent'

/** What is wrong with a field, as a key under `checkout.faults`. */
export type Fault = 'name_missing' | 'name_long' | 'email_missing' | 'email_form' | 'phone_form' | 'phone_country'

export type Faults = Partial<Record<keyof Draft, Fault>>

/** Brings a phone number to E.164; undefined when it cannot be read as one. */
export function normalPhone(typed: string): string | undefined {
  const compact = typed.replace(/[\s().·-]/g, '').replace(/^00/, '+')
  if (/^\+[1-9]\d{6,14}$/.test(compact)) return compact
  // Eleven digits from 13 to 19 are a mainland mobile number and nothing else.
  if (/^1[3-9]\d{9}$/.test(compact)) return `+86${compact}`
  return undefined
}

/** Checks what the buyer typed; the server has the last word. */
export function checkBuyer(draft: Draft): Faults {
  const faults: Faults = {}
  const name = draft.name.trim()
  if (!name) faults.name = 'name_missing'
  else if ([...name].length > 100) faults.name = 'name_long'
  const email = draft.email.trim()
  if (!email) faults.email = 'email_missing'
  else if (email.length > 254 || !/^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(email)) faults.email = 'email_form'
  const phone = draft.phone.trim()
  if (phone && !normalPhone(phone)) {
    faults.phone = /^[\d\s().-]{7,}$/.test(phone) ? 'phone_country' : 'phone_form'
  }
  return faults
}

/** The buyer as the server wants it. Call only with a draft that has no faults. */
export function buyerOf(draft: Draft): Buyer {
  const phone = normalPhone(draft.phone.trim())
  return { name: draft.name.trim(), email: draft.email.trim(), ...(phone ? { phone } : {}) }
}
