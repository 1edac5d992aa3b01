import { afterEach, describe, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import { api } from '../src/api/client'
import type { Order, TimelineEntry } from '../src/api/types'
import { useOrder } from '../src/live/order'

afterEach(() => vi.restoreAllMocks())

describe('an order that is followed', () => {
  it('is read again when the timeline knows of more than it', async () => {
    const read = (state: string, revision: number) => ({ id: 'O', state, revision }) as Order
    const order = vi.spyOn(api, 'order').mockResolvedValueOnce(read('PENDING', 2)).mockResolvedValue(read('PAID', 4))
    const entries = [1, 2, 3, 4].map((sequence) => ({ sequence, kind: 'paid', state: 'PAID', at: '' }) as TimelineEntry)
    vi.spyOn(api, 'timeline').mockResolvedValue({ events: entries })
    vi.spyOn(api, 'timelineStream').mockReturnValue(new Promise(() => undefined)) // nothing more will be told
    const scope = effectScope()
    const page = scope.run(() => useOrder('O', 'token', () => false))
    await vi.waitFor(() => expect(page?.order.value?.state).toBe('PAID'))
    expect(order).toHaveBeenCalledTimes(2)
    scope.stop()
  })

  it('is read again while a gateway has not answered to a new attempt', async () => {
    const read = (state: string) => ({ id: 'O', state: 'PENDING', revision: 2, attempts: [{ state, created_at: new Date().toISOString() }] }) as unknown as Order
    const order = vi.spyOn(api, 'order').mockResolvedValueOnce(read('CREATED')).mockResolvedValue(read('PENDING'))
    vi.spyOn(api, 'timeline').mockResolvedValue({ events: [] })
    vi.spyOn(api, 'timelineStream').mockReturnValue(new Promise(() => undefined))
    const scope = effectScope()
    const page = scope.run(() => useOrder('O', 'token', () => false))
    await vi.waitFor(() => expect(page?.order.value?.attempts[0]?.state).toBe('PENDING'), 3000)
    expect(order).toHaveBeenCalledTimes(2)
    scope.stop()
  })
})
