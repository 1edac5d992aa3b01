import { afterEach, describe, expect, it, vi } from 'vitest'
import { ConnectionLost, Problem } from '../src/api/client'
import { follow, type Liveness } from '../src/live/follow'

const pace = { least: 5, most: 20, healthy: 1_000 }
const stops: (() => void)[] = []
afterEach(() => stops.splice(0).forEach((stop) => stop()))

/** A stream that stands until it is let go. */
const standing = (signal: AbortSignal, opened: () => void) =>
  new Promise<void>((resolve) => {
    opened()
    signal.addEventListener('abort', () => resolve())
  })

describe('following', () => {
  it('reads once, then stands on the stream', async () => {
    const states: Liveness[] = []
    const poll = vi.fn(async () => undefined)
    stops.push(follow({ poll, stream: standing, onLiveness: (s) => states.push(s) }, pace))
    await vi.waitFor(() => expect(states).toEqual(['connecting', 'live']))
    expect(poll).toHaveBeenCalledTimes(1)
  })

  it('polls when there is no stream to be had', async () => {
    const states: Liveness[] = []
    const poll = vi.fn(async () => undefined)
    const stream = vi.fn(async () => {
      throw new ConnectionLost('not a stream')
    })
    stops.push(follow({ poll, stream, onLiveness: (s) => states.push(s) }, pace))
    await vi.waitFor(() => expect(poll.mock.calls.length).toBeGreaterThan(3))
    expect(states).toContain('polling')
    expect(states).not.toContain('live')
  })

  it('reads again before each new stream, so that nothing between two is missed', async () => {
    const order: string[] = []
    let streams = 0
    stops.push(
      follow(
        {
          poll: async () => void order.push('poll'),
          stream: async (signal, opened) => {
            order.push('stream')
            if (++streams < 3) return
            await standing(signal, opened)
          },
          onLiveness: () => undefined,
        },
        pace,
      ),
    )
    await vi.waitFor(() => expect(order).toEqual(['poll', 'stream', 'poll', 'stream', 'poll', 'stream']))
  })

  it('loads once while hidden, and opens a stream when looked at', async () => {
    let state = 'hidden'
    const seen = vi.spyOn(document, 'visibilityState', 'get').mockImplementation(() => state as DocumentVisibilityState)
    const poll = vi.fn(async () => undefined)
    const stream = vi.fn(standing)
    stops.push(follow({ poll, stream, onLiveness: () => undefined }, pace))
    await vi.waitFor(() => expect(poll).toHaveBeenCalledTimes(1))
    expect(stream).not.toHaveBeenCalled()
    state = 'visible'
    document.dispatchEvent(new Event('visibilitychange'))
    await vi.waitFor(() => expect(stream).toHaveBeenCalledTimes(1))
    expect(poll).toHaveBeenCalledTimes(2)
    seen.mockRestore()
  })

  it('says so when nothing answers, and comes back by itself', async () => {
    const states: Liveness[] = []
    let down = true
    stops.push(
      follow(
        {
          poll: async () => {
            if (down) throw new ConnectionLost('down')
          },
          stream: standing,
          onLiveness: (s) => states.push(s),
        },
        pace,
      ),
    )
    await vi.waitFor(() => expect(states).toContain('lost'))
    down = false
    await vi.waitFor(() => expect(states.at(-1)).toBe('live'))
  })

  it('gives up on a definite no', async () => {
    const refused = vi.fn()
    const poll = vi.fn(async () => {
      throw new Problem(401, 'unauthorized', '', undefined, undefined)
    })
    stops.push(follow({ poll, stream: standing, onLiveness: () => undefined, onRefused: refused }, pace))
    await vi.waitFor(() => expect(refused).toHaveBeenCalledTimes(1))
    expect(poll).toHaveBeenCalledTimes(1)
  })
})
