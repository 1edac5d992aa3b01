import { describe, expect, it } from 'vitest'
import { createStreamParser, readStream, type StreamMessage } from '../src/api/stream'
import { ServerClock } from '../src/live/clock'

function parse(...pieces: string[]): StreamMessage[] {
  const messages: StreamMessage[] = []
  const feed = createStreamParser((m) => messages.push(m))
  pieces.forEach(feed)
  return messages
}

describe('an event stream', () => {
  const wire = ': beat\n\nevent: order\nid: 7\ndata: {"a":1}\n\nevent: order\r\nid: 8\r\ndata: x\r\ndata: y\r\n\r\n'
  const messages = [
    { event: 'order', id: '7', data: '{"a":1}' },
    { event: 'order', id: '8', data: 'x\ny' },
  ]

  it('is cut into messages', () => {
    expect(parse(wire)).toEqual(messages)
  })

  it('is the same however the network cuts it', () => {
    for (let i = 1; i < wire.length; i++) expect(parse(wire.slice(0, i), wire.slice(i)), String(i)).toEqual(messages)
    expect(parse(...wire)).toEqual(messages)
  })

  it('ends with its body and lets go when told to', async () => {
    const seen: string[] = []
    const stop = new AbortController()
    let cancelled = false
    const body = new ReadableStream<Uint8Array>({
      start: (c) => c.enqueue(new TextEncoder().encode('data: 一\n\n')),
      cancel: () => {
        cancelled = true
      },
    })
    await readStream(
      body,
      (m) => {
        seen.push(m.data)
        stop.abort()
      },
      stop.signal,
    )
    expect(seen).toEqual(['一'])
    expect(cancelled).toBe(true)
  })
})

describe('the server’s clock', () => {
  it('corrects the local one by what answers say', () => {
    let local = 1_000_000_000_000
    const clock = new ServerClock(() => local)
    clock.observe(new Date(local + 300_000).toISOString(), local - 100, local + 100)
    expect(clock.now()).toBe(local + 300_000)
    local += 60_000
    expect(clock.now()).toBe(local + 300_000)
  })

  it('prefers the exact time to a header’s whole seconds', () => {
    const local = 1_000_000_000_000
    const clock = new ServerClock(() => local)
    clock.observe(new Date(local + 5_000).toISOString(), local, local + 10)
    clock.observeHeader(new Date(local + 5_000).toUTCString(), local, local + 10)
    expect(Math.abs(clock.now() - (local + 5_000))).toBeLessThan(20)
  })

  it('notices when the local clock was set', () => {
    let local = 1_000_000_000_000
    const clock = new ServerClock(() => local)
    clock.observe(new Date(local).toISOString(), local, local)
    const truth = local + 10_000
    local -= 3_600_000
    clock.observe(new Date(truth).toISOString(), local, local + 200)
    expect(Math.abs(clock.now() - truth)).toBeLessThan(200)
  })

  it('ignores what is no time', () => {
    const clock = new ServerClock(() => 42)
    clock.observe(undefined, 0, 0)
    clock.observe('soon', 0, 0)
    clock.observeHeader(null, 0, 0)
    expect(clock.now()).toBe(42)
  })
})
