import { ConnectionLost, Problem, problemOf } from './problem'
import type { SeatMap, Seats } from './seats'
import { readStream, type StreamMessage } from './stream'
import type { Attendee } from './attendees'
import type { Ask, Availability, Codes, EventDetail, EventFilter, EventList, Message, NewOrder, NewRefund, Order, PlacedOrder, Quote, Refund, RefundQuote, SessionDetail, StartedPayment, Text, TimelineEntry } from './types'
import { serverClock } from '../live/clock'

const base = '/api/v1'

/** How long an answer may take before it counts as lost, in milliseconds. */
const patience = { read: 15_000, write: 25_000, stream: 25_000 }

interface Call {
  method?: 'GET' | 'POST' | 'PUT'
  body?: unknown
  token?: string
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** Aborts with whichever of the two aborts first (AbortSignal.any is too young for older phones). */
function either(a: AbortSignal, b: AbortSignal): AbortSignal {
  const both = new AbortController()
  for (const signal of [a, b]) {
    if (signal.aborted) both.abort(signal.reason)
    signal.addEventListener('abort', () => both.abort(signal.reason), { once: true, signal: both.signal })
  }
  return both.signal
}

async function send(path: string, call: Call, accept: string, limit: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: accept, ...call.headers }
  if (call.token) headers.Authorization = `Bearer ${call.token}`
  if (call.body !== undefined) headers['Content-Type'] = 'application/json'
  const signal = call.signal ? either(call.signal, limit) : limit
  const asked = Date.now()
  let response: Response
  try {
    response = await fetch(base + path, {
      method: call.method ?? 'GET',
      headers,
      body: call.body === undefined ? undefined : JSON.stringify(call.body),
      signal,
      cache: 'no-store',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
    })
  } catch (error) {
    if (call.signal?.aborted) throw error
    throw new ConnectionLost('no answer', { cause: error })
  }
  serverClock.observeHeader(response.headers.get('Date'), asked, Date.now())
  if (!response.ok) throw await problemOf(response)
  return response
}

async function json<T>(path: string, call: Call = {}): Promise<T> {
  const limit = AbortSignal.timeout((call.method ?? 'GET') === 'GET' ? patience.read : patience.write)
  const response = await send(path, call, 'application/json', limit)
  try {
    return (await response.json()) as T
  } catch (error) {
    if (call.signal?.aborted) throw error
    throw new ConnectionLost('answer cut short', { cause: error })
  }
}

/** Opens a stream and hands over its messages until the server or the signal ends it. */
async function stream(path: string, call: Call, onMessage: (m: StreamMessage) => void, onOpen: () => void) {
  // Only the answer's head is bounded; the body lives as long as the stream.
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(), patience.stream)
  try {
    const response = await send(path, call, 'text/event-stream', limit.signal)
    clearTimeout(timer)
    if (!response.body || !response.headers.get('Content-Type')?.startsWith('text/event-stream')) {
      throw new ConnectionLost('not a stream')
    }
    onOpen()
    await readStream(response.body, onMessage, call.signal)
  } finally {
    clearTimeout(timer)
    limit.abort()
  }
}

async function order(id: string, token: string, path: string, call: Call): Promise<Order> {
  const asked = Date.now()
  const answer = await json<Order>(`/orders/${encodeURIComponent(id)}${path}`, { ...call, token })
  serverClock.observe(answer.server_time, asked, Date.now())
  return answer
}

function query(filter: EventFilter): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(filter)) {
    if (value !== undefined && value !== '') params.set(name, String(value))
  }
  const text = params.toString()
  return text ? `?${text}` : ''
}

/**
 * Every call of the API that the storefront makes. All reject with Problem
 * when the server said no, with ConnectionLost when what it did is unknown.
 */
export const api = {
  events: (filter: EventFilter, signal?: AbortSignal) => json<EventList>(`/events${query(filter)}`, { signal }),

  cities: (signal?: AbortSignal) => json<{ cities: Text[] }>('/cities', { signal }),

  event: (id: string, signal?: AbortSignal) => json<EventDetail>(`/events/${encodeURIComponent(id)}`, { signal }),

  session: (id: string, signal?: AbortSignal) => json<SessionDetail>(`/sessions/${encodeURIComponent(id)}`, { signal }),

  availability: (id: string, signal?: AbortSignal) =>
    json<Availability>(`/sessions/${encodeURIComponent(id)}/availability`, { signal }),

  availabilityStream: (id: string, signal: AbortSignal, onMessage: (m: StreamMessage) => void, onOpen: () => void) =>
    stream(`/sessions/${encodeURIComponent(id)}/availability`, { signal }, onMessage, onOpen),

  seatMap: (id: string, signal?: AbortSignal) => json<SeatMap>(`/sessions/${encodeURIComponent(id)}/seat-map`, { signal }),

  seats: (id: string, signal?: AbortSignal) => json<Seats>(`/sessions/${encodeURIComponent(id)}/seats`, { signal }),

  /** With the id of the last event seen, only what has changed since is told. */
  seatsStream: (id: string, last: string, signal: AbortSignal, onMessage: (m: StreamMessage) => void, onOpen: () => void) =>
    stream(
      `/sessions/${encodeURIComponent(id)}/seats`,
      { signal, headers: last ? { 'Last-Event-ID': last } : {} },
      onMessage,
      onOpen,
    ),

  quote: (sessionId: string, lines: Ask[], codes: Codes, signal?: AbortSignal) =>
    json<Quote>('/quotes', { method: 'POST', body: { session_id: sessionId, lines, ...codes }, signal }),

  /** The same key with the same body always answers with the same order. */
  placeOrder: (wanted: NewOrder, key: string) =>
    json<PlacedOrder>('/orders', { method: 'POST', body: wanted, headers: { 'Idempotency-Key': key } }),

  order: (id: string, token: string, signal?: AbortSignal) => order(id, token, '', { signal }),

  timeline: (id: string, token: string, signal?: AbortSignal) =>
    json<{ events: TimelineEntry[] }>(`/orders/${encodeURIComponent(id)}/events`, { token, signal }),

  timelineStream: (
    id: string,
    token: string,
    after: number,
    signal: AbortSignal,
    onMessage: (m: StreamMessage) => void,
    onOpen: () => void,
  ) =>
    stream(
      `/orders/${encodeURIComponent(id)}/events`,
      { token, signal, headers: after > 0 ? { 'Last-Event-ID': String(after) } : {} },
      onMessage,
      onOpen,
    ),

  messages: (id: string, token: string, signal?: AbortSignal) =>
    json<{ messages: Message[] }>(`/orders/${encodeURIComponent(id)}/messages`, { token, signal }),

  pay: (id: string, token: string, method: string) =>
    json<StartedPayment>(`/orders/${encodeURIComponent(id)}/payments`, { method: 'POST', body: { method }, token }),

  quoteRefund: (id: string, token: string, ticketIds: string[], signal?: AbortSignal) =>
    json<RefundQuote>(`/orders/${encodeURIComponent(id)}/refund-quotes`, {
      method: 'POST',
      body: { ticket_ids: ticketIds },
      token,
      signal,
    }),

  /** The same key with the same body is always the same refund; only its state is answered (202) while no worker has. */
  requestRefund: (id: string, token: string, wanted: NewRefund, key: string) =>
    json<Partial<Refund> & Pick<Refund, 'state'>>(`/orders/${encodeURIComponent(id)}/refunds`, {
      method: 'POST',
      body: wanted,
      token,
      headers: { 'Idempotency-Key': key },
    }),

  /** Makes a ticket somebody else's; asking for the same again changes nothing. */
  changeAttendee: (id: string, token: string, ticketId: string, attendee: Attendee) =>
    order(id, token, `/tickets/${encodeURIComponent(ticketId)}/attendee`, { method: 'PUT', body: attendee }),

  cancel: (id: string, token: string) => order(id, token, '/cancel', { method: 'POST' }),
}

export { ConnectionLost, Problem }
