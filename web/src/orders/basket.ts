import type { Ask } from '../api/types'

// A basket lives in the address: reload, the back button and a second tab all show the same one.

/**
 * Writes a basket as "type:2,other:1:stalls/C/14,third:2:~": how many, then the chosen seats, or ~ where seats may be
 * apart; empty when nothing is chosen.
 */
export function writeBasket(lines: Ask[]): string {
  return lines
    .filter((l) => l.quantity > 0)
    .map((l) => [l.ticket_type_id, l.quantity, ...(l.seat_ids ?? []), ...(l.apart ? ['~'] : [])].join(':'))
    .join(',')
}

/** Reads what writeBasket wrote; whatever else the address holds is dropped. */
export function readBasket(text: unknown): Ask[] {
  if (typeof text !== 'string') return []
  const seen = new Map<string, Ask>()
  for (const part of text.split(',')) {
    const match = /^([\w.-]{1,64}):(\d{1,3})((?::[^:]{1,200})*)$/.exec(part)
    if (!match?.[1] || Number(match[2]) === 0) continue
    const rest = (match[3] ?? '').split(':').slice(1)
    const seats = [...new Set(rest.filter((id) => /^[^/]+\/[^/]+\/[^/]+$/.test(id)))].slice(0, 100)
    const line: Ask = { ticket_type_id: match[1], quantity: seats.length || Math.min(100, Number(match[2])) }
    if (seats.length > 0) line.seat_ids = seats
    else if (rest.includes('~')) line.apart = true
    seen.set(match[1], line)
  }
  return [...seen.values()].slice(0, 20)
}
