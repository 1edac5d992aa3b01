import { ref, watch, type Ref } from 'vue'
import type { Codes } from '../api/types'
import { read, tab } from './intent'

// Codes are secrets: they are kept for the tab, apart for every event, and never in an address.

const codesAt = (eventId: string) => `boxoffice.codes.${eventId}`

/** What the buyer has typed for an event: of vouchers, of a presale, and of a membership, or the wish to join it. */
export interface TypedCodes {
  vouchers: string[]
  access: string
  member?: string
  join?: boolean
}

/** The codes typed for an event; what is changed here is there after a reload. */
export function useCodes(eventId: () => string | undefined): Ref<TypedCodes> {
  const codes = ref<TypedCodes>({ vouchers: [], access: '' })
  watch(
    eventId,
    (id) => {
      if (id) codes.value = { vouchers: [], access: '', ...read<Partial<TypedCodes>>(tab.get(codesAt(id))) }
    },
    { immediate: true },
  )
  watch(codes, (value) => {
    const id = eventId()
    if (id) tab.set(codesAt(id), JSON.stringify(value))
  })
  return codes
}

/** The codes as the API takes them: none at all where there are none. */
export function asked({ vouchers, access, member }: TypedCodes): Codes {
  return {
    ...(vouchers.length > 0 ? { vouchers } : {}),
    ...(access ? { access_code: access } : {}),
    ...(member ? { member_code: member } : {}),
  }
}

/** Which voucher an error is about, by its field "/vouchers/0"; undefined if about none, 'all' if about all together. */
export function voucherOf(field: string | undefined): number | 'all' | undefined {
  const match = /^\/vouchers(?:\/(\d+))?$/.exec(field ?? '')
  if (!match) return undefined
  return match[1] === undefined ? 'all' : Number(match[1])
}
