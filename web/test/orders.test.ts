import { describe, expect, it } from 'vitest'
import type { Attempt, Order, OrderState, Refund, TimelineEntry } from '../src/api/types'
import { readBasket, writeBasket } from '../src/orders/basket'
import { buyerOf, checkBuyer, normalPhone } from '../src/orders/buyer'
import { chapterOf, openAttempt, refundState, safePage, spentAttempt } from '../src/orders/story'
import { tokenInHash } from '../src/orders/tokens'

const now = Date.parse('2026-11-20T12:00:00Z')
const money = { amount: 100, currency: 'CNY' }

function attempt(state: Attempt['state'], more: Partial<Attempt> = {}): Attempt {
  return {
    id: `A${state}`,
    method: 'sandbox_card',
    provider: 'sandbox',
    state,
    amount: money,
    created_at: '2026-11-20T11:50:00Z',
    expires_at: '2026-11-20T12:10:00Z',
    ...more,
  }
}

const refund = (state: string, more: Partial<Refund> = {}): Refund => ({
  id: 'R',
  attempt_id: 'A',
  amount: money,
  fee: { ...money, amount: 0 },
  ticket_ids: [],
  state: state as Refund['state'],
  reason: 'late',
  created_at: '2026-11-20T12:00:00Z',
  ...more,
})

function order(state: OrderState, more: Partial<Order> = {}): Order {
  return {
    id: 'O',
    state,
    pay_by: '2026-11-20T12:10:00Z',
    total: money,
    lines: [],
    attempts: [],
    tickets: [],
    refunds: [],
    ...more,
  } as Order
}

const entry = (kind: string): TimelineEntry => ({ sequence: 1, kind, state: 'PAID', at: '2026-11-20T12:00:00Z' })
const ticket = { id: 'T', ticket_type_id: 'x', name: {}, state: 'VALID' as const, code: 'C', issued_at: '' }
const given = { ...ticket, id: 'G', state: 'VOID' as const, refund_id: 'R' }

describe('the story of an order', () => {
  it.each([
    ['held', order('PENDING'), [], 'pending'],
    ['at the gateway', order('PENDING', { attempts: [attempt('PENDING')] }), [], 'paying'],
    ['declined', order('PENDING', { attempts: [attempt('DECLINED')] }), [], 'declined'],
    [
      'declined, then tried again',
      order('PENDING', {
        attempts: [attempt('DECLINED'), attempt('PENDING', { created_at: '2026-11-20T11:55:00Z' })],
      }),
      [],
      'paying',
    ],
    ['past its deadline', order('PENDING', { pay_by: '2026-11-20T12:00:00Z' }), [], 'closing'],
    ['in review', order('AWAITING_REVIEW'), [], 'review'],
    ['paid, tickets to come', order('PAID'), [], 'issuing'],
    ['paid', order('PAID', { tickets: [ticket] }), [], 'paid'],
    ['nothing to pay', order('PAID', { tickets: [ticket], total: { amount: 0, currency: 'CNY' } }), [], 'free'],
    ['paid late and lucky', order('PAID', { tickets: [ticket] }), [entry('late_payment'), entry('retaken')], 'paid_late'],
    ['paid twice', order('PAID', { tickets: [ticket], attempts: [attempt('REJECTED')] }), [], 'paid_twice'],
    ['expired', order('EXPIRED'), [], 'expired'],
    ['expired, money came', order('EXPIRED'), [entry('late_payment')], 'late_checking'],
    ['expired, money goes back', order('EXPIRED', { refunds: [refund('PENDING')] }), [], 'late_refunding'],
    ['expired, refund failed for now', order('EXPIRED', { refunds: [refund('FAILED')] }), [], 'late_refunding'],
    ['expired, money is back', order('EXPIRED', { refunds: [refund('SUCCEEDED')] }), [], 'late_refunded'],
    ['cancelled', order('CANCELLED'), [], 'cancelled'],
    ['cancelled, money came', order('CANCELLED', { attempts: [attempt('REJECTED')] }), [], 'late_checking'],
    [
      'expired, a wrong amount goes back',
      order('EXPIRED', { refunds: [refund('PENDING', { reason: 'amount' })] }),
      [],
      'amount_refunding',
    ],
    ['expired, money of nobody is back', order('EXPIRED', { refunds: [refund('SUCCEEDED', { reason: 'unknown_order' })] }), [], 'unmatched_refunded'],
    ['held, a wrong amount came', order('PENDING', { attempts: [attempt('REJECTED')] }), [], 'mismatch'],
    ['held, a wrong amount went back', order('PENDING', { attempts: [attempt('REFUNDED')] }), [], 'mismatch'],
    [
      'paid, and a wrong amount besides',
      order('PAID', { tickets: [ticket], attempts: [attempt('ACCEPTED'), attempt('REJECTED')] }),
      [{ ...entry('payment_rejected'), detail: { attempt_id: 'AREJECTED', reason: 'amount' } }],
      'paid_mismatch',
    ],
    [
      'paid, the second payment is back',
      order('PAID', { tickets: [ticket], attempts: [attempt('REFUNDED')], refunds: [refund('SUCCEEDED', { attempt_id: 'AREFUNDED', reason: 'double' })] }),
      [],
      'paid_twice',
    ],
    ['called off', order('PAID', { tickets: [ticket], refund_policy: { free: true, steps: [] } }), [], 'called_off'],
    ['disputed', order('PAID', { tickets: [{ ...ticket, state: 'FROZEN' }] }), [entry('dispute_opened')], 'disputed'],
    ['dispute won', order('PAID', { tickets: [ticket] }), [entry('dispute_opened'), entry('dispute_won')], 'paid'],
    ['dispute lost', order('REFUNDED', { tickets: [{ ...ticket, state: 'VOID' }] }), [entry('dispute_lost')], 'dispute_lost'],
    ['all given back', order('REFUNDING', { tickets: [given], refunds: [refund('PENDING', { reason: 'requested' })] }), [], 'refunding'],
    ['some given back', order('REFUNDING', { tickets: [given, ticket], refunds: [refund('PENDING', { reason: 'requested' })] }), [], 'refunding_part'],
    ['given back, in a person’s hands', order('REFUNDING', { tickets: [given], refunds: [refund('FAILED', { reason: 'event' })] }), [], 'refund_person'],
    ['some refunded', order('PARTIALLY_REFUNDED', { tickets: [given, ticket] }), [], 'partially_refunded'],
    ['all refunded', order('REFUNDED', { tickets: [given] }), [], 'refunded'],
    ['failed', order('FAILED'), [], 'failed'],
    ['failed, money is back', order('FAILED', { refunds: [refund('SUCCEEDED')] }), [], 'failed_refunded'],
    ['refused', order('REFUSED'), [], 'refused'],
  ] as const)('%s', (_name, what, timeline, chapter) => {
    expect(chapterOf(what, [...timeline], now)).toBe(chapter)
  })

  it('knows the attempt that can still be paid', () => {
    const old = attempt('PENDING', { id: 'old', expires_at: '2026-11-20T11:59:59Z' })
    expect(openAttempt(order('PENDING', { attempts: [old] }), now)).toBeUndefined()
    expect(openAttempt(order('PENDING', { attempts: [old, attempt('PENDING', { id: 'new' })] }), now)?.id).toBe('new')
  })

  it('knows the attempt to try once more', () => {
    const late = attempt('PENDING', { id: 'late', created_at: '2026-11-20T11:58:00Z', expires_at: '2026-11-20T11:59:00Z' })
    expect(spentAttempt(order('PENDING'))).toBeUndefined()
    expect(spentAttempt(order('PENDING', { attempts: [attempt('DECLINED')] }))?.id).toBe('ADECLINED')
    expect(spentAttempt(order('PENDING', { attempts: [attempt('DECLINED'), late] }))?.id).toBe('late')
    expect(spentAttempt(order('PENDING', { attempts: [attempt('REJECTED')] }))).toBeUndefined()
  })

  it('never calls a failed refund done', () => {
    expect(['SUCCEEDED', 'PENDING', 'FAILED', 'anything'].map((state) => refundState(refund(state)))).toEqual([
      'done',
      'pending',
      'person',
      'pending',
    ])
  })

  it('opens web pages only', () => {
    expect(safePage('https://pay.example/x')).toBe(true)
    expect(safePage('http://127.0.0.1:8090/pay')).toBe(true)
    expect(safePage('javascript:alert(1)')).toBe(false)
    expect(safePage('//no-scheme')).toBe(false)
    expect(safePage(undefined)).toBe(false)
  })
})

describe('baskets in the address', () => {
  it('come back as they were written', () => {
    const lines = [
      { ticket_type_id: 'tt_a-1', quantity: 2 },
      { ticket_type_id: 'b', quantity: 1 },
    ]
    expect(readBasket(writeBasket(lines))).toEqual(lines)
    expect(writeBasket([{ ticket_type_id: 'a', quantity: 0 }])).toBe('')
  })

  it.each([undefined, null, 7, 'a', 'a:', 'a:0', 'a:-1', 'a:1.5', '<x>:1', ['a:1']])('drop %j', (text) => {
    expect(readBasket(text)).toEqual([])
  })

  it('are bounded', () => {
    expect(readBasket('a:999')).toEqual([{ ticket_type_id: 'a', quantity: 100 }])
    expect(readBasket(Array.from({ length: 50 }, (_, i) => `t${i}:1`).join(','))).toHaveLength(20)
  })
})

describe('the buyer', () => {
  it('has a phone in E.164 form, or none', () => {
    expect(normalPhone('138 0013 8000')).toBe('+8613800138000')
    expect(normalPhone('+44 (0)7700-900123'.replace('(0)', ''))).toBe('+447700900123')
    expect(normalPhone('0044 7700 900123')).toBe('+447700900123')
    expect(normalPhone('07700 900123')).toBeUndefined()
    expect(normalPhone('call me')).toBeUndefined()
  })

  it('is told what is wrong', () => {
    expect(checkBuyer({ name: ' ', email: '', phone: '' })).toEqual({ name: 'name_missing', email: 'email_missing' })
    expect(checkBuyer({ name: 'A', email: 'a@b', phone: '07700 900123' })).toEqual({
      email: 'email_form',
      phone: 'phone_country',
    })
    expect(checkBuyer({ name: 'A', email: 'a@b.cn', phone: 'x' })).toEqual({ phone: 'phone_form' })
    expect(checkBuyer({ name: 'A', email: 'a@b.cn', phone: '' })).toEqual({})
  })

  it('is sent trimmed, without an empty phone', () => {
    expect(buyerOf({ name: ' Ada ', email: ' a@b.cn ', phone: ' ' })).toEqual({ name: 'Ada', email: 'a@b.cn' })
  })
})

describe('the key in a link', () => {
  it('is read from the hash only when it is one', () => {
    expect(tokenInHash('#token=abc%2B')).toBe('abc+')
    expect(tokenInHash('#tickets')).toBeUndefined()
    expect(tokenInHash('')).toBeUndefined()
  })
})
