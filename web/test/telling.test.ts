import { describe, expect, it } from 'vitest'
import type { Message } from '../src/api/types'
import en from '../src/i18n/en'
import { messageKinds, progressOf, unsettled, wordsOf } from '../src/orders/telling'

const begun = Date.parse('2026-11-20T12:00:00Z')
const message = (state: Message['state'], kind = 'paid') =>
  ({ id: 'M', kind, channel: 'mail', to: 'm***@example.com', state, created_at: '2026-11-20T12:00:00Z' }) as Message

describe('what the buyer was told', () => {
  it('has words for every kind and every state, and general ones for kinds to come', () => {
    const { kinds, states } = en.message
    expect(Object.keys(kinds).sort()).toEqual([...messageKinds, 'other'].sort())
    for (const state of ['WAITING', 'SENT', 'DELIVERED', 'FAILED', 'UNSURE'] as const) {
      expect(Object.keys(states)).toContain(progressOf(message(state)))
    }
    expect(wordsOf(message('SENT', 'reminder'))).toBe('reminder')
    expect(wordsOf(message('SENT', 'moved_to_mars'))).toBe('other')
  })

  it('is asked about again while something is about to leave, and not for ever', () => {
    expect(unsettled([], begun)).toBe(false)
    expect(unsettled([message('SENT'), message('WAITING')], begun + 1000)).toBe(true)
    expect(unsettled([message('SENT'), message('FAILED')], begun + 1000)).toBe(false)
    expect(unsettled([message('WAITING')], begun + 3 * 60_000)).toBe(false)
  })
})
