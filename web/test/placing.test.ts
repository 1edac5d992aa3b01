import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, type EffectScope } from 'vue'
import { api, ConnectionLost, Problem } from '../src/api/client'
import type { NewOrder, Order, PlacedOrder } from '../src/api/types'
import { basketName, intentOf, renewIntent, sentOf, sweepIntents } from '../src/orders/intent'
import { usePlacing } from '../src/orders/placing'
import { keepOrder, keptOrder } from '../src/orders/tokens'

const lines = [{ ticket_type_id: 't1', quantity: 2 }]
let basket = ''
let counter = 0
const body: NewOrder = { session_id: 's', lines, buyer: { name: 'A', email: 'a@b.cn' }, language: 'en' }
const answer = { id: 'ORDER1', state: 'PENDING', token: 'tok', total: { amount: 1, currency: 'CNY' } } as PlacedOrder
const scopes: EffectScope[] = []

/** A tab with the checkout page open. */
function tab() {
  const placed: string[] = []
  const scope = effectScope()
  scopes.push(scope)
  const placing = scope.run(() => usePlacing(basket, (o) => placed.push(o.id)))
  if (!placing) throw new Error('no scope')
  return { ...placing, placed }
}

beforeEach(() => {
  basket = basketName(`s${counter++}`, lines)
})
afterEach(() => {
  scopes.splice(0).forEach((s) => s.stop())
  vi.restoreAllMocks()
})

describe('placing an order', () => {
  it('sends one request for a double click', async () => {
    const place = vi.spyOn(api, 'placeOrder').mockResolvedValue(answer)
    const page = tab()
    await Promise.all([page.submit(body), page.submit(body)])
    expect(place).toHaveBeenCalledTimes(1)
    expect(page.placed).toEqual(['ORDER1'])
    expect(keptOrder('ORDER1')?.token).toBe('tok')
  })

  it('uses one key for two tabs with the same basket, in whatever order it was filled', async () => {
    const place = vi.spyOn(api, 'placeOrder').mockResolvedValue(answer)
    await Promise.all([tab().submit(body), tab().submit(body)])
    expect(new Set(place.mock.calls.map(([, key]) => key)).size).toBe(1)
    const a = { ticket_type_id: 'a', quantity: 1 }
    const b = { ticket_type_id: 'b', quantity: 2 }
    expect(basketName('s', [a, b])).toBe(basketName('s', [b, a]))
  })

  it('keeps key and words when the answer is lost, and sends them again after a reload', async () => {
    const place = vi.spyOn(api, 'placeOrder').mockRejectedValueOnce(new ConnectionLost('gone'))
    const before = tab()
    await before.submit(body)
    expect(before.step.value).toBe('unsure')
    place.mockResolvedValueOnce(answer)
    const after = tab()
    expect(after.step.value).toBe('interrupted')
    await after.resend()
    expect(place.mock.calls[1]).toEqual(place.mock.calls[0])
    expect(after.placed).toEqual(['ORDER1'])
    expect(sentOf(basket)).toBeUndefined()
  })

  it('sends again by itself when the connection comes back', async () => {
    const place = vi.spyOn(api, 'placeOrder').mockRejectedValueOnce(new ConnectionLost('gone')).mockResolvedValueOnce(answer)
    const page = tab()
    await page.submit(body)
    window.dispatchEvent(new Event('online'))
    await vi.waitFor(() => expect(page.placed).toEqual(['ORDER1']))
    expect(place.mock.calls[1]).toEqual(place.mock.calls[0])
  })

  it.each(['unavailable', 'internal', 'rate_limited'])('keeps the key after %s', async (code) => {
    const status = code === 'rate_limited' ? 429 : 503
    vi.spyOn(api, 'placeOrder').mockRejectedValueOnce(new Problem(status, code, '', undefined, undefined))
    const page = tab()
    const { key } = intentOf(basket)
    await page.submit(body)
    expect(page.step.value).toBe('unsure')
    expect(intentOf(basket).key).toBe(key)
  })

  it.each(['sold_out', 'price_changed', 'limit_exceeded', 'window_closed', 'invalid'])('takes a new key after %s', async (code) => {
    vi.spyOn(api, 'placeOrder').mockRejectedValueOnce(new Problem(409, code, '', undefined, undefined))
    const page = tab()
    const { key } = intentOf(basket)
    await page.submit(body)
    expect(page.step.value).toBe('refused')
    expect(intentOf(basket).key).not.toBe(key)
    expect(sentOf(basket)).toBeUndefined()
  })

  it('settles an unanswered request before it sends other words', async () => {
    const place = vi.spyOn(api, 'placeOrder').mockRejectedValueOnce(new ConnectionLost('gone'))
    const page = tab()
    await page.submit(body)
    place.mockResolvedValueOnce(answer)
    await page.submit({ ...body, buyer: { name: 'B', email: 'b@b.cn' } })
    expect(place).toHaveBeenCalledTimes(2)
    expect(place.mock.calls[1]).toEqual(place.mock.calls[0])
    expect(page.step.value).toBe('existing')
    expect(page.existing.value?.id).toBe('ORDER1')
  })

  it('sends the other words once the first are known to have failed', async () => {
    const place = vi.spyOn(api, 'placeOrder').mockRejectedValueOnce(new ConnectionLost('gone'))
    const page = tab()
    await page.submit(body)
    place.mockRejectedValueOnce(new Problem(422, 'invalid', '', '/buyer/email', undefined)).mockResolvedValueOnce(answer)
    const corrected = { ...body, buyer: { name: 'B', email: 'b@b.cn' } }
    await page.submit(corrected)
    expect(place.mock.calls[2]?.[0]).toEqual(corrected)
    expect(place.mock.calls[2]?.[1]).not.toBe(place.mock.calls[0]?.[1])
    expect(page.placed).toEqual(['ORDER1'])
  })

  it('says so when the key was used with other words elsewhere', async () => {
    vi.spyOn(api, 'placeOrder').mockRejectedValueOnce(new Problem(422, 'idempotency_key_reused', '', undefined, undefined))
    const page = tab()
    await page.submit(body)
    expect(page.step.value).toBe('reused')
  })

  it('shows the order that this intent became instead of a second form', async () => {
    vi.spyOn(api, 'placeOrder').mockResolvedValue(answer)
    vi.spyOn(api, 'order').mockResolvedValue({ id: 'ORDER1', state: 'PENDING' } as Order)
    await tab().submit(body)
    const later = tab()
    await vi.waitFor(() => expect(later.step.value).toBe('existing'))
    const { key } = intentOf(basket)
    later.startOver()
    expect(later.step.value).toBe('form')
    expect(intentOf(basket).key).not.toBe(key)
  })

  it('begins anew when that order is over', async () => {
    vi.spyOn(api, 'placeOrder').mockResolvedValue(answer)
    vi.spyOn(api, 'order').mockResolvedValue({ id: 'ORDER1', state: 'EXPIRED' } as Order)
    await tab().submit(body)
    const { key } = intentOf(basket)
    const later = tab()
    await vi.waitFor(() => expect(intentOf(basket).key).not.toBe(key))
    await nextTick()
    expect(later.step.value).toBe('form')
  })

  it('marks an order that was only taken in', async () => {
    vi.spyOn(api, 'placeOrder').mockResolvedValue({ id: 'ORDER2', state: 'PENDING', token: 't2' })
    await tab().submit(body)
    expect(keptOrder('ORDER2')?.placing).toBe(true)
    keepOrder({ id: 'ORDER2', placing: false })
    expect(keptOrder('ORDER2')).toMatchObject({ token: 't2', placing: false })
  })

  it('forgets an intent that nobody finished', () => {
    const { key } = renewIntent(basket, Date.now() - 3 * 3600 * 1000)
    sweepIntents()
    expect(intentOf(basket).key).not.toBe(key)
    expect(intentOf(basket).key).toMatch(/^[\x21-\x7e]{8,200}$/)
  })
})
