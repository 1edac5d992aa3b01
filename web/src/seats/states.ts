import type { SeatMapRef, Seats } from '../api/seats'

/** How a seat stands: held ones may come back, sold ones (and those kept back) do not. */
export const free = 0
export const held = 1
export const sold = 2

/** Bits of a base64 text, the lowest of each byte first. */
export function bits(base64: string): Uint8Array {
  const bytes = atob(base64)
  return Uint8Array.from(bytes, (c) => c.charCodeAt(0))
}

/** How all seats of a session stand. Messages tell them absolutely, so hearing one twice does no harm. */
export class SeatStates {
  readonly state: Uint8Array
  /** How many are free, by category. */
  readonly freeOf: Uint32Array

  constructor(
    private readonly ref: SeatMapRef,
    private readonly category: Uint8Array,
    categories: number,
  ) {
    // Until they are told no seat is offered.
    this.state = new Uint8Array(category.length).fill(sold)
    this.freeOf = new Uint32Array(categories)
  }

  /** Whether a message is about this map, not about another one that the session has been given. */
  knows(message: Seats): boolean {
    return message.seat_map.id === this.ref.id && message.seat_map.version === this.ref.version
  }

  /** Takes a message and returns the seats that changed by it. */
  take(message: Seats): number[] {
    const changed: number[] = []
    for (const span of message.spans) {
      const taken = bits(span.taken)
      const gone = bits(span.sold)
      const end = Math.min(span.count, this.state.length - span.first)
      for (let i = 0; i < end; i++) {
        const bit = 1 << (i & 7)
        const now = !((taken[i >> 3] ?? 0) & bit) ? free : (gone[i >> 3] ?? 0) & bit ? sold : held
        const seat = span.first + i
        const before = this.state[seat]
        if (before === now) continue
        const category = this.category[seat] ?? 0
        if (now === free) this.freeOf[category] = (this.freeOf[category] ?? 0) + 1
        else if (before === free) this.freeOf[category] = (this.freeOf[category] ?? 0) - 1
        this.state[seat] = now
        changed.push(seat)
      }
    }
    return changed
  }

  isFree(seat: number): boolean {
    return this.state[seat] === free
  }
}
