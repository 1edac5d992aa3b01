/** One message of a server-sent event stream. */
export interface StreamMessage {
  event: string
  data: string
  id: string
}

/** Heartbeats come every 15 s; silence of this many milliseconds means the line is dead. */
const silence = 40_000

/**
 * Cuts a text/event-stream into messages. Feed it decoded text in any
 * pieces; comments (heartbeats) and messages without data yield nothing.
 */
export function createStreamParser(onMessage: (m: StreamMessage) => void): (text: string) => void {
  let rest = ''
  let event = ''
  let id = ''
  let data: string[] = []
  const line = (text: string) => {
    if (text === '') {
      if (data.length > 0) onMessage({ event: event || 'message', data: data.join('\n'), id })
      event = ''
      data = []
      return
    }
    const colon = text.indexOf(':')
    if (colon === 0) return
    const field = colon < 0 ? text : text.slice(0, colon)
    const value = colon < 0 ? '' : text.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') event = value
    else if (field === 'data') data.push(value)
    else if (field === 'id') id = value
  }
  return (text) => {
    rest += text
    for (;;) {
      const end = rest.search(/[\r\n]/)
      if (end < 0) return
      // A CR at the very end may be the first half of CR LF: wait for more.
      if (rest[end] === '\r' && end === rest.length - 1) return
      const next = rest[end] === '\r' && rest[end + 1] === '\n' ? end + 2 : end + 1
      const text = rest.slice(0, end)
      rest = rest.slice(next)
      line(text)
    }
  }
}

/** Reads a body to its end. Rejects when the signal aborts or the line stays silent for too long. */
export async function readStream(
  body: ReadableStream<Uint8Array>,
  onMessage: (m: StreamMessage) => void,
  signal?: AbortSignal,
): Promise<void> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  const feed = createStreamParser(onMessage)
  const cancel = () => void reader.cancel().catch(() => undefined)
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    for (;;) {
      const { done, value } = await heard(reader)
      if (done) return
      feed(decoder.decode(value, { stream: true }))
    }
  } finally {
    signal?.removeEventListener('abort', cancel)
    cancel()
  }
}

async function heard(reader: ReadableStreamDefaultReader<Uint8Array>) {
  let timer: ReturnType<typeof setTimeout> | undefined
  const dead = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('silent stream')), silence)
  })
  try {
    return await Promise.race([reader.read(), dead])
  } finally {
    clearTimeout(timer)
  }
}
