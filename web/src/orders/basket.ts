import type { Ask } from '../api/types'

// A basket lives in the address: reload, the back button and a second tab all show the same one.

/** Writes a basket as "type:2,other:1"; empty when nothing is chosen. */
export function writeBasket(lines: Ask[]): string {
  return lines
    .filter((l) => l.quantity > 0)
    .map((l) => `${l.ticket_type_id}:${l.quantity}`)
    .join(',')
}

/** Reads what writeBasket wrote; whatever else the address holds is dropped. */
export function readBasket(text: unknown): Ask[] {
  if (typeof text !== 'string') return []
  const seen = new Map<string, number>()
  for (const part of text.split(',')) {
    const match = /^([\w.-]{1,64}):(\d{1,3})$/.exec(part)
    if (match?.[1] && Number(match[2]) > 0) seen.set(match[1], Math.min(100, Number(match[2])))
  }
  return [...seen].slice(0, 20).map(([ticket_type_id, quantity]) => ({ ticket_type_id, quantity }))
}
