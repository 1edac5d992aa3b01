import type { Message } from '../api/types'

/** How far a message is, as a key under `message.states`. */
export type Progress = 'waiting' | 'sent' | 'delivered' | 'failed' | 'unsure'

export const progressOf = (message: Message): Progress => message.state.toLowerCase() as Progress

/** Every kind of message that has words of its own, under `message.kinds`. */
export const messageKinds = [
  'hold_expiring',
  'paid',
  'retaken',
  'expired',
  'cancelled',
  'payment_returned',
  'refund_requested',
  'refunded',
  'tickets_frozen',
  'tickets_restored',
  'tickets_withdrawn',
  'session_changed',
  'event_cancelled',
  'event_postponed',
  'reminder',
] as const

/** The key of a message's words; one that a newer server made is told in general. */
export function wordsOf(message: Message): string {
  return (messageKinds as readonly string[]).includes(message.kind) ? message.kind : 'other'
}

/** Whether asking again soon may bring news, at a moment in milliseconds: what was begun minutes ago and still waits, waits for long. */
export function unsettled(messages: Message[], now: number): boolean {
  return messages.some((m) => m.state === 'WAITING' && now - Date.parse(m.created_at) < 2 * 60_000)
}
