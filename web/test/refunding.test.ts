import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, shallowRef, type EffectScope } from 'vue'
import { api, ConnectionLost, Problem } from '../src/api/client'
import type { NewRefund, Order, Refund, RefundPolicy, RefundQuote, Ticket } from '../src/api/types'
import { askedOf, useRefunding } from '../src/orders/refunding'
import { refusalOf, shareBack, stepAt } from '../src/orders/refunds'

const cny = (amount: number) => ({ amount, currency: 'CNY' })
const at = (time: string) => Date.parse(`2026-11-${time}:00Z`)
const ladder: RefundPolicy = {
  free: false,
  steps: [
    { until: '2026-11-18T11:30:00Z', fee_basis_points: 1000 },
    { until: '2026-11-19T11:30:00Z', fee_basis_points: 5000 },
  ],
}
const ticket = (id: string, state: Ticket['state'] = 'VALID'): Ticket => ({
  id, ticket_type_id: 't', name: {}, state, code: id, issued_at: '', ...(state === 'VOID' ? { refund_id: 'R' } : {}),
})
let counter = 0
const paid = (tickets: Ticket[], more: Partial<Order> = {}) =>
  ({ id: `O${counter}`, state: 'PAID', lines: [], tickets, attempts: [], refunds: [], refund_policy: ladder, ...more }) as unknown as Order

function quoteOf(ids: string[], each = 90): RefundQuote {
  return {
    tickets: ids.map((ticket_id) => ({ ticket_id, paid: cny(100), fee: cny(100 - each), amount: cny(each) })),
    order_fee: cny(0), paid: cny(100 * ids.length), fee: cny((100 - each) * ids.length), amount: cny(each * ids.length), free: false,
  }
}
const refund = { id: 'R1', state: 'PENDING' } as Refund
const scopes: EffectScope[] = []

/** A tab with the order's page open. */
function tab(order = paid([ticket('A'), ticket('B'), ticket('C')])) {
  const shown = shallowRef(order)
  const said: string[] = []
  const scope = effectScope()
  scopes.push(scope)
  const page = scope.run(() => useRefunding(() => shown.value, 'tok', () => said.push('done'), () => said.push('moved')))
  if (!page) throw new Error('no scope')
  return { ...page, shown, said }
}

async function settle(ms = 200) {
  await nextTick()
  await vi.advanceTimersByTimeAsync(ms)
}

beforeEach(() => {
  counter++
  localStorage.clear()
  vi.useFakeTimers()
  vi.spyOn(api, 'quoteRefund').mockImplementation((_id, _token, ids) => Promise.resolve(quoteOf(ids)))
})
afterEach(() => {
  scopes.splice(0).forEach((s) => s.stop())
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('the rule of refunds', () => {
  it.each([
    ['before the first deadline', '18T11:29', 1000],
    ['at the first deadline', '18T11:30', 1000],
    ['after it', '18T11:31', 5000],
    ['after the last', '19T11:31', undefined],
  ] as const)('%s', (_name, now, fee) => {
    expect(stepAt(ladder, at(now))?.fee_basis_points).toBe(fee)
  })

  it('says what share comes back', () => {
    expect(ladder.steps.map(shareBack)).toEqual([0.9, 0.5])
  })

  it.each([
    ['in time', paid([ticket('A')]), '18T00:00', undefined],
    ['too late', paid([ticket('A')]), '20T00:00', 'too_late'],
    ['never', paid([ticket('A')], { refund_policy: { free: false, steps: [] } }), '18T00:00', 'never'],
    ['called off, whatever the ladder says', paid([ticket('A')], { refund_policy: { free: true, steps: [] } }), '20T00:00', undefined],
    ['nothing left', paid([ticket('A', 'VOID')], { state: 'REFUNDED' }), '18T00:00', 'other'],
    ['one of two left, while the first is on its way', paid([ticket('A', 'VOID'), ticket('B')], { state: 'REFUNDING' }), '18T00:00', undefined],
    ['none valid, while on its way', paid([ticket('A', 'VOID')], { state: 'REFUNDING' }), '18T00:00', 'none_left'],
    ['disputed', paid([ticket('A', 'FROZEN')]), '18T00:00', 'disputed'],
    ['not paid', paid([], { state: 'PENDING' }), '18T00:00', 'other'],
    ['rule unknown: the server decides', paid([ticket('A')], { refund_policy: undefined }), '30T00:00', undefined],
  ] as const)('%s', (_name, order, now, refusal) => {
    expect(refusalOf(order, at(now))).toBe(refusal)
  })
})

describe('giving tickets back', () => {
  it('begins with all tickets, and asks the price again for every choice, once for quick ones', async () => {
    const page = tab()
    await page.askPrice()
    expect(page.quote.value?.amount).toEqual(cny(270))
    page.choose('B', false)
    page.choose('C', false)
    expect(page.chosen.value).toEqual(['A'])
    await settle()
    expect(api.quoteRefund).toHaveBeenCalledTimes(2)
    expect(page.quote.value?.amount).toEqual(cny(90))
  })

  it('sends nothing while the shown price is not that of the choice', async () => {
    const send = vi.spyOn(api, 'requestRefund').mockResolvedValue(refund)
    const page = tab()
    await page.confirm()
    await page.askPrice()
    page.choose('B', false)
    await nextTick()
    await page.confirm()
    expect(send).not.toHaveBeenCalled()
  })

  it('sends one request for a double click, for what was shown', async () => {
    const send = vi.spyOn(api, 'requestRefund').mockResolvedValue(refund)
    const page = tab()
    page.choose('C', false)
    await settle()
    await Promise.all([page.confirm(), page.confirm()])
    expect(send).toHaveBeenCalledTimes(1)
    expect(send.mock.calls[0]?.[2]).toEqual({ ticket_ids: ['A', 'B'], expected_amount: cny(180) } satisfies NewRefund)
    expect(page.said).toEqual(['done'])
    expect(askedOf(page.shown.value.id)).toBeUndefined()
  })

  it('keeps key and words when the answer is lost, and sends them again after a reload', async () => {
    const send = vi.spyOn(api, 'requestRefund').mockRejectedValueOnce(new ConnectionLost('gone'))
    const order = paid([ticket('A'), ticket('B')])
    const before = tab(order)
    await before.askPrice()
    await before.confirm()
    expect(before.stage.value).toBe('unsure')
    const after = tab(order)
    expect(after.stage.value).toBe('unsure')
    send.mockResolvedValueOnce(refund)
    await after.resend()
    expect(send.mock.calls[1]).toEqual(send.mock.calls[0])
    expect(after.said).toEqual(['done'])
    expect(tab(order).stage.value).toBe('choosing')
  })

  it('asks again by itself while the answer is to come, then leaves it to the buyer', async () => {
    const send = vi.spyOn(api, 'requestRefund').mockResolvedValue({ state: 'PENDING' })
    const page = tab()
    await page.askPrice()
    const sent = page.confirm()
    await settle(60_000)
    await sent
    expect(page.stage.value).toBe('unsure')
    expect(new Set(send.mock.calls.map(([, , , key]) => key)).size).toBe(1)
    expect(askedOf(page.shown.value.id)).toBeDefined()
  })

  it('is done when the order shows it, whatever became of the answer', async () => {
    vi.spyOn(api, 'requestRefund').mockRejectedValueOnce(new Problem(503, 'unavailable', '', undefined, undefined))
    const page = tab()
    page.choose('B', false)
    page.choose('C', false)
    await settle()
    await page.confirm()
    expect(page.stage.value).toBe('unsure')
    page.shown.value = paid([ticket('A', 'VOID'), ticket('B'), ticket('C')], { state: 'REFUNDING' })
    await nextTick()
    expect(page.stage.value).toBe('choosing')
    expect(page.said).toEqual(['done'])
    expect(page.chosen.value).toEqual(['B', 'C'])
  })

  it('forgets an answer that comes after the order has told', async () => {
    let lose: (why: unknown) => void = () => undefined
    vi.spyOn(api, 'requestRefund').mockImplementation(() => new Promise((_resolve, reject) => (lose = reject)))
    const page = tab(paid([ticket('A')]))
    await page.askPrice()
    const sent = page.confirm()
    page.shown.value = paid([ticket('A', 'VOID')], { state: 'REFUNDING' })
    await nextTick()
    lose(new ConnectionLost('gone'))
    await sent
    expect(page.stage.value).toBe('choosing')
    expect(page.said).toEqual(['done'])
  })

  it('shows another amount instead of sending for it', async () => {
    const send = vi.spyOn(api, 'requestRefund').mockRejectedValueOnce(new Problem(409, 'price_changed', '', '/expected_amount', undefined))
    const page = tab()
    await page.askPrice()
    vi.mocked(api.quoteRefund).mockImplementation((_id, _token, ids) => Promise.resolve(quoteOf(ids, 50)))
    await page.confirm()
    expect(page.stage.value).toBe('changed')
    expect(page.before.value).toEqual(cny(270))
    expect(page.quote.value?.amount).toEqual(cny(150))
    expect(send).toHaveBeenCalledTimes(1)
    send.mockResolvedValueOnce(refund)
    await page.confirm()
    expect(send.mock.calls[1]?.[2].expected_amount).toEqual(cny(150))
    expect(send.mock.calls[1]?.[3]).not.toBe(send.mock.calls[0]?.[3])
  })

  describe('when the quote runs out', () => {
    const end = at('18T11:30')
    const quoted = (each: number, until?: string) =>
      vi.mocked(api.quoteRefund).mockImplementation((_id, _token, ids) => Promise.resolve({ ...quoteOf(ids, each), until }))
    /** A page that has asked for the price, and the time passes second by second. */
    async function waiting() {
      quoted(90, ladder.steps[0]?.until)
      const page = tab()
      await page.askPrice()
      vi.mocked(api.quoteRefund).mockClear()
      page.pass(end - 1000)
      page.pass(end)
      expect(api.quoteRefund).not.toHaveBeenCalled()
      return page
    }

    it('tells another amount', async () => {
      const page = await waiting()
      quoted(50, ladder.steps[1]?.until)
      page.pass(end + 400)
      await settle()
      expect(page.stage.value).toBe('changed')
      expect(page.before.value).toEqual(cny(270))
      page.pass(end + 1400)
      expect(api.quoteRefund).toHaveBeenCalledTimes(1)
      page.choose('A', false)
      expect(page.stage.value).toBe('choosing')
    })

    it('asks again where the server’s clock is behind what the page takes for it', async () => {
      const page = await waiting()
      page.pass(end + 5)
      await settle()
      expect(page.stage.value).toBe('choosing')
      quoted(50, ladder.steps[1]?.until)
      page.pass(end + 1005)
      await settle()
      expect(page.stage.value).toBe('changed')
      expect(page.quote.value?.amount).toEqual(cny(150))
    })

    it('says nothing of the same amount', async () => {
      const page = await waiting()
      quoted(90, ladder.steps[1]?.until)
      page.pass(end + 5)
      await settle()
      page.pass(end + 1005)
      expect(page.stage.value).toBe('choosing')
      expect(api.quoteRefund).toHaveBeenCalledTimes(1)
    })

    it('asks nothing while an answer is waited for', async () => {
      vi.spyOn(api, 'requestRefund').mockReturnValueOnce(new Promise(() => undefined))
      const page = await waiting()
      void page.confirm()
      page.pass(end + 5)
      expect(page.stage.value).toBe('sending')
      expect(api.quoteRefund).not.toHaveBeenCalled()
    })
  })

  it.each(['not_refundable', 'conflict'])('takes %s for an answer, and reads the order anew', async (code) => {
    vi.spyOn(api, 'requestRefund').mockRejectedValueOnce(new Problem(409, code, 'why', undefined, undefined))
    const page = tab()
    await page.askPrice()
    await page.confirm()
    expect(page.stage.value).toBe('refused')
    expect(page.said).toEqual(['moved'])
    expect(askedOf(page.shown.value.id)).toBeUndefined()
  })

  it('asks for no price when nothing is chosen', async () => {
    const page = tab(paid([ticket('A')]))
    page.choose('A', false)
    await settle()
    expect(api.quoteRefund).not.toHaveBeenCalled()
    expect(page.quote.value).toBeUndefined()
    expect(page.quoting.value).toBe(false)
  })
})
