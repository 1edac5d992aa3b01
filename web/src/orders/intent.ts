import type { Ask, NewOrder } from '../api/types'

/**
 * One intent to buy has one Idempotency-Key, whatever happens to the page: a
 * double click, a reload or a second tab on the same basket ask for the same
 * order. The key is the device's (localStorage, shared by its tabs); what the
 * buyer typed is the tab's (sessionStorage) and goes when the tab does.
 */
export interface Intent {
  key: string
  /** Milliseconds since 1970. */
  createdAt: number
  /** Set once the server has answered with an order. */
  orderId?: string
}

/** An intent nobody finished is forgotten after this many milliseconds. */
const lifetime = 2 * 3600 * 1000

const memory = new Map<string, string>()

function store(area: 'localStorage' | 'sessionStorage') {
  return {
    get(name: string): string | null {
      try {
        return window[area].getItem(name) ?? memory.get(name) ?? null
      } catch {
        return memory.get(name) ?? null
      }
    },
    set(name: string, value: string) {
      memory.set(name, value)
      try {
        window[area].setItem(name, value)
      } catch {
        // Memory has it for as long as the page lives.
      }
    },
    remove(name: string) {
      memory.delete(name)
      try {
        window[area].removeItem(name)
      } catch {
        // Nothing was stored then.
      }
    },
  }
}

export const device = store('localStorage')
export const tab = store('sessionStorage')

/** Names a basket: the same tickets and seats of the same session, in whatever order they were chosen. */
export function basketName(sessionId: string, lines: Ask[]): string {
  const parts = lines
    .map((l) => [l.ticket_type_id, l.quantity, ...[...(l.seat_ids ?? [])].sort(), ...(l.apart ? ['~'] : [])].join(':'))
    .sort()
  return `${sessionId}/${parts.join(',')}`
}

/** A new Idempotency-Key, which nobody can guess. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(18))
  return `web-${Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('')}`
}

/** Reads what was stored as JSON; undefined when it is missing or broken. */
export function read<T>(text: string | null): T | undefined {
  if (!text) return undefined
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}

const intentAt = (basket: string) => `boxoffice.intent.${basket}`
const sentAt = (basket: string) => `boxoffice.sent.${basket}`
const draftAt = 'boxoffice.buyer'

/** The intent of a basket: the one under way on this device, else a new one. */
export function intentOf(basket: string, now = Date.now()): Intent {
  const known = read<Intent>(device.get(intentAt(basket)))
  if (known?.key && now - known.createdAt < lifetime) return known
  return renewIntent(basket, now)
}

/** The order that a basket became on this device, if it did. */
export function orderedAs(basket: string): string | undefined {
  return read<Intent>(device.get(intentAt(basket)))?.orderId
}

/** Starts a new intent: after a definite refusal, or when the buyer wants another order. */
export function renewIntent(basket: string, now = Date.now()): Intent {
  const intent: Intent = { key: newKey(), createdAt: now }
  device.set(intentAt(basket), JSON.stringify(intent))
  tab.remove(sentAt(basket))
  return intent
}

/** Remembers which order an intent became. */
export function settleIntent(basket: string, key: string, orderId: string): void {
  const intent = intentOf(basket)
  tab.remove(sentAt(basket))
  if (intent.key === key) device.set(intentAt(basket), JSON.stringify({ ...intent, orderId }))
}

/** What was sent with which key and not yet answered: it can be sent again, word for word. */
export interface Sent {
  key: string
  body: NewOrder
}

export function rememberSent(basket: string, sent: Sent): void {
  tab.set(sentAt(basket), JSON.stringify(sent))
}

export function sentOf(basket: string): Sent | undefined {
  return read<Sent>(tab.get(sentAt(basket)))
}

export function forgetSent(basket: string): void {
  tab.remove(sentAt(basket))
}

/** What the buyer typed so far, kept for this tab only. */
export interface Draft {
  name: string
  email: string
  phone: string
}

export function draft(): Draft {
  return { name: '', email: '', phone: '', ...read<Partial<Draft>>(tab.get(draftAt)) }
}

export function keepDraft(value: Draft): void {
  tab.set(draftAt, JSON.stringify(value))
}

/** Drops the intents that nobody will finish, so that the store does not grow for ever. */
export function sweepIntents(now = Date.now()): void {
  try {
    const names = Array.from({ length: localStorage.length }, (_, i) => localStorage.key(i) ?? '')
    for (const name of names.filter((n) => n.startsWith('boxoffice.intent.'))) {
      const intent = read<Intent>(localStorage.getItem(name))
      if (!intent || now - intent.createdAt >= lifetime) localStorage.removeItem(name)
    }
  } catch {
    // No store, nothing to sweep.
  }
}
