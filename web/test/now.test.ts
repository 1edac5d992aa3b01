import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, ref, type Ref } from 'vue'
import { secondsLeft, serverClock } from '../src/live/clock'
import { useNow } from '../src/live/now'

const begun = '2026-11-21T04:00:00.400Z'
const end = '2026-11-21T04:15:00.380Z' // 15 minutes from when it was asked for

describe('the seconds that are left', () => {
  const at = (time: string) => secondsLeft(end, begun, Date.parse(time))

  it('are never more than the hold', () => {
    expect(at(begun)).toBe(900)
    expect(at('2026-11-21T04:00:00.005Z')).toBe(900) // the last tick before the order was there
    expect(at('2026-11-21T03:59:59.900Z')).toBe(900) // by a clock that is half a second behind
    expect(at('2026-11-21T03:00:00Z')).toBe(900) // or an hour
  })

  it('count the one that has begun, and none after the end', () => {
    expect(at('2026-11-21T04:00:01.379Z')).toBe(900)
    expect(at('2026-11-21T04:00:01.381Z')).toBe(899)
    expect(at('2026-11-21T04:14:59.381Z')).toBe(1)
    expect(at(end)).toBe(0)
    expect(at('2026-11-21T05:00:00Z')).toBe(0)
  })
})

describe('the time now', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    vi.setSystemTime(Date.parse(begun) - 100)
    vi.spyOn(serverClock, 'now').mockImplementation(() => Date.now())
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  const ticking = (until?: () => string | undefined) => {
    const scope = effectScope()
    const now = scope.run(() => useNow(until))
    if (!now) throw new Error('the scope has ended')
    return { scope, now }
  }

  /** What a countdown shows every ten milliseconds. */
  const shown = (now: Ref<number>, for_: number) => {
    const all: { left: number; real: number }[] = []
    for (let passed = 0; passed < for_; passed += 10) {
      vi.advanceTimersByTime(10)
      all.push({ left: secondsLeft(end, begun, now.value), real: (Date.parse(end) - Date.now()) / 1000 })
    }
    return all
  }

  it('ticks with the seconds that are left', () => {
    const { scope, now } = ticking(() => end)
    vi.advanceTimersByTime(100)
    for (const { left, real } of shown(now, 5_000)) {
      expect(left).toBeGreaterThanOrEqual(real - 0.001)
      expect(left).toBeLessThan(real + 1.02)
    }
    scope.stop()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is right at once when the moment gets known', () => {
    const until = ref<string>()
    const { scope, now } = ticking(() => until.value)
    vi.advanceTimersByTime(480)
    until.value = end
    expect(now.value).toBe(Date.now())
    expect(vi.getTimerCount()).toBe(1)
    for (const { left, real } of shown(now, 3_000)) expect(left).toBeLessThan(real + 1.02)
    scope.stop()
  })

  it('ticks with the full seconds where there is nothing to wait for', () => {
    const { scope, now } = ticking()
    vi.advanceTimersByTime(1_000)
    const first = now.value
    expect(first % 1000).toBeLessThan(10)
    vi.advanceTimersByTime(1_000)
    expect(now.value - first).toBe(1_000)
    scope.stop()
  })
})
