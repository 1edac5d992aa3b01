/**
 * The server's clock as seen from here. Deadlines are the server's, and a
 * buyer's own clock may be minutes off, so every countdown asks this.
 */
export class ServerClock {
  /** Milliseconds to add to the local clock. */
  private offset = 0
  /** Half the round trip of the best observation so far: the most the offset can be wrong by. */
  private error = Number.POSITIVE_INFINITY
  private observedAt = 0

  constructor(private readonly local: () => number = Date.now) {}

  /** The server's time now, in milliseconds since 1970. */
  now(): number {
    return this.local() + this.offset
  }

  /** Takes an exact time from an answer asked and received at these local times. */
  observe(serverTime: string | undefined, asked: number, received: number): void {
    const at = Date.parse(serverTime ?? '')
    if (!Number.isNaN(at)) this.take(at, asked, received, (received - asked) / 2)
  }

  /** Takes a Date header, which is cut to the second: right to half a second at best. */
  observeHeader(date: string | null, asked: number, received: number): void {
    const at = Date.parse(date ?? '')
    if (!Number.isNaN(at)) this.take(at + 500, asked, received, (received - asked) / 2 + 500)
  }

  private take(at: number, asked: number, received: number, error: number): void {
    const offset = at - (asked + received) / 2
    // A worse observation counts only when the better one is old (a minute), or when the two
    // contradict each other: then somebody set the local clock meanwhile.
    const contradicts = Math.abs(offset - this.offset) > this.error + error + 1000
    if (error > this.error && !contradicts && received - this.observedAt < 60_000) return
    this.offset = offset
    this.error = error
    this.observedAt = received
  }
}

export const serverClock = new ServerClock()

/**
 * Whole seconds from now until a moment, the one that has begun included. Never more than there were from the beginning on: what we
 * take for the server's time may be a little behind.
 */
export function secondsLeft(until: string, from: string, now: number): number {
  return Math.max(0, Math.ceil((Date.parse(until) - Math.max(now, Date.parse(from))) / 1000))
}
