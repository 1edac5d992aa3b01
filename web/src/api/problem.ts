import type { LostSeats } from './seats'

/** The server understood and said no; `code` is stable and decides what the buyer reads. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    /** JSON pointer into the request, such as "/buyer/email". */
    readonly field: string | undefined,
    readonly requestId: string | undefined,
    /** Of `seat_taken`. */
    readonly seats?: LostSeats,
    /** Of limit_exceeded, where it is known: how many tickets the buyer may still have. */
    readonly left?: number,
  ) {
    super(`${code}: ${detail}`)
  }

  /** Whether trying the very same request again may end differently. */
  get passing(): boolean {
    return this.status >= 500 || this.status === 429 || this.status === 408
  }
}

/** No answer came, or none that can be read: what the server did is unknown. */
export class ConnectionLost extends Error {}

/** Reads an error answer, whatever its form: a proxy's HTML page counts as `internal` or `unavailable`. */
export async function problemOf(response: Response): Promise<Problem> {
  let body: Record<string, unknown> = {}
  try {
    const parsed: unknown = await response.json()
    if (typeof parsed === 'object' && parsed !== null) body = parsed as Record<string, unknown>
  } catch {
    // Not JSON; the status alone has to do.
  }
  const text = (name: string) => (typeof body[name] === 'string' ? (body[name] as string) : undefined)
  return new Problem(
    response.status,
    text('code') ?? codeOfStatus(response.status),
    text('detail') ?? text('title') ?? '',
    text('field'),
    text('request_id') ?? response.headers.get('X-Request-Id') ?? undefined,
    lostSeats(body.seats),
    typeof body.left === 'number' ? body.left : undefined,
  )
}

function lostSeats(value: unknown): LostSeats | undefined {
  const seats = value as Partial<LostSeats> | undefined
  return Array.isArray(seats?.taken) ? (seats as LostSeats) : undefined
}

function codeOfStatus(status: number): string {
  switch (status) {
    case 401:
    case 403:
      return 'unauthorized'
    case 404:
      return 'not_found'
    case 429:
      return 'rate_limited'
    case 502:
    case 503:
    case 504:
      return 'unavailable'
    default:
      return status >= 500 ? 'internal' : 'invalid'
  }
}

/** The code to explain an error by, for errors of every kind. */
export function codeOf(error: unknown): string {
  // A member code is refused as a voucher is; to whom it is explained it is another thing.
  if (error instanceof Problem) return error.code === 'voucher_invalid' && error.field === '/member_code' ? 'member_invalid' : error.code
  return 'connection_lost'
}
