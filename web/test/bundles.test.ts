import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import { api } from '../src/api/client'
import type { BundleContent } from '../src/api/bundles'
import type { Order, PricedLine, RefundPolicy, Ticket, TicketType } from '../src/api/types'
import { calledOff, numbered, policiesOf, sells, ticketsOf, togetherWith } from '../src/orders/bundles'
import { useRefunding } from '../src/orders/refunding'
import { refusalOf } from '../src/orders/refunds'

const until = (time: string): RefundPolicy => ({ free: false, steps: [{ until: time, fee_basis_points: 0 }] })
const single = { ticket_type_id: 'stalls' } as PricedLine
const pass = { ticket_type_id: 'pass', name: { en: 'Pass' }, bundle: { contents: [], refund_policy: until('2026-11-20T00:00:00Z') } } as unknown as PricedLine
const ticket = (id: string, type: string, number?: number) =>
  ({ id, ticket_type_id: type, state: 'VALID', ...(number ? { bundle: { number, name: {}, session_id: 's' } } : {}) }) as Ticket
const order = (more: Partial<Order> = {}) =>
  ({
    id: 'O', state: 'PAID', attempts: [], refunds: [], lines: [single, pass], refund_policy: until('2026-11-22T00:00:00Z'),
    tickets: [ticket('1', 'stalls'), ticket('2', 'pass', 1), ticket('3', 'pass', 1), ticket('4', 'pass', 2), ticket('5', 'pass', 2)], ...more,
  }) as Order

describe('a bundle', () => {
  it('counts as the tickets of its event', () => {
    const content = (event_id: string, quantity: number) => ({ event_id, quantity }) as BundleContent
    const type = { bundle: { contents: [content('here', 2), content('there', 1), content('here', 1)] } } as TicketType
    expect(ticketsOf(type, 'here')).toBe(3)
    expect(ticketsOf({} as TicketType, 'here')).toBe(1)
  })

  it('is not sold in its window while something in it is not', () => {
    const window = { sale_from: '2026-11-18T00:00:00Z', sale_until: '2026-11-20T00:00:00Z', on_sale: false }
    const during = Date.parse('2026-11-19T00:00:00Z')
    expect(sells({ ...window, bundle: pass.bundle } as TicketType, during)).toBe(false)
    expect(sells({ ...window, bundle: pass.bundle } as TicketType, 0)).toBe(true)
    expect(sells(window as TicketType, during)).toBe(true)
  })

  it('goes back as a whole', () => {
    expect(togetherWith(order(), '1')).toEqual(['1'])
    expect(togetherWith(order(), '3')).toEqual(['2', '3'])
    expect(togetherWith(order(), 'none')).toEqual(['none'])
    expect(numbered(order(), ticket('2', 'pass', 1))).toBe(true)
    expect(numbered(order({ tickets: [ticket('2', 'pass', 1)] }), ticket('2', 'pass', 1))).toBe(false)
  })

  it('has a rule of its own', () => {
    expect(policiesOf(order()).map((p) => p.name?.en)).toEqual([undefined, 'Pass'])
    expect(policiesOf(order({ lines: [pass] })).map((p) => p.name?.en)).toEqual(['Pass'])
    expect(refusalOf(order(), Date.parse('2026-11-21T00:00:00Z'))).toBeUndefined()
    expect(refusalOf(order({ lines: [pass] }), Date.parse('2026-11-21T00:00:00Z'))).toBe('too_late')
    expect(calledOff(order())).toBe(false)
    expect(calledOff(order({ lines: [{ ...pass, bundle: { contents: [], refund_policy: { free: true, steps: [] } } }] }))).toBe(true)
  })
})

describe('choosing what goes back', () => {
  beforeEach(() => {
    localStorage.clear()
    vi.spyOn(api, 'quoteRefund').mockRejectedValue(new Error('not asked here'))
  })
  afterEach(() => vi.restoreAllMocks())

  it('takes and leaves all tickets of a bundle', () => {
    const scope = effectScope()
    const page = scope.run(() => useRefunding(() => order(), 'tok', () => undefined, () => undefined))
    page?.choose('4', false)
    expect(page?.chosen.value).toEqual(['1', '2', '3'])
    page?.choose('2', false)
    expect(page?.chosen.value).toEqual(['1'])
    page?.choose('5', true)
    expect(page?.chosen.value).toEqual(['1', '4', '5'])
    scope.stop()
  })
})
