import { expect, it } from 'vitest'
import { inPresale, inSale, soldEarly, soldToMembers } from '../src/orders/windows'

const at = (hour: number) => Date.parse(`2026-11-19T${String(hour).padStart(2, '0')}:00:00Z`)
const iso = (hour: number) => new Date(at(hour)).toISOString()
const type = { sale_from: iso(12), sale_until: iso(20), presale_until: iso(10), members_from: iso(8) }

it('a ticket type is sold in its window, from its first moment and not at its last', () => {
  expect([at(11), at(12), at(19), at(20)].map((now) => inSale(type, now))).toEqual([false, true, true, false])
})

it('before its window it is sold to whom a code opens it, for as long as codes do', () => {
  const hours = [7, 8, 9, 10, 11, 12]
  expect(hours.map((h) => inPresale(type, at(h)))).toEqual([true, true, true, false, false, false])
  expect(hours.map((h) => soldToMembers(type, at(h)))).toEqual([false, true, true, true, true, false])
  expect(hours.map((h) => soldEarly(type, at(h), { opened: true }))).toEqual([true, true, true, false, false, false])
  expect(hours.map((h) => soldEarly(type, at(h), { toMember: true }))).toEqual([false, true, true, true, true, false])
  expect(hours.map((h) => soldEarly(type, at(h), {}))).toEqual(hours.map(() => false))
  const plain = { sale_from: iso(12), sale_until: iso(20) }
  expect(hours.some((h) => soldEarly(plain, at(h), { opened: true, toMember: true }))).toBe(false)
})
