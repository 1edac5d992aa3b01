import { Problem } from '../api/problem'

/** How a followed thing reaches this page right now. */
export type Liveness = 'connecting' | 'live' | 'polling' | 'lost'

export interface Followed {
  /** Opens the stream and resolves when it ends; calls opened once it stands. */
  stream(signal: AbortSignal, opened: () => void): Promise<void>
  /** Fetches the present state; runs between streams and while none can be had. */
  poll(signal: AbortSignal): Promise<void>
  onLiveness(state: Liveness): void
  /** Called once with an answer that ends the following: not found, not allowed. */
  onRefused?(problem: Problem): void
}

/** Milliseconds; tests shorten them. */
export interface Pace {
  /** Wait before the first reconnect; doubles up to `most`. */
  least: number
  most: number
  /** A stream that lived this long counts as healthy and resets the back-off. */
  healthy: number
}

const usual: Pace = { least: 1_000, most: 20_000, healthy: 10_000 }

/**
 * Follows something on the server until stopped: by stream while that works,
 * and by polling at each reconnect, so that nothing is missed between two
 * streams. A hidden page lets go of its stream, because browsers allow only a
 * few connections to one server over all tabs, and catches up when shown.
 */
export function follow(what: Followed, pace: Pace = usual): () => void {
  const stopped = new AbortController()
  let round: AbortController | undefined
  let wake: (() => void) | undefined

  const visible = () => document.visibilityState !== 'hidden'
  const onVisibility = () => {
    if (visible()) wake?.()
    else round?.abort()
  }
  const onOnline = () => wake?.()
  document.addEventListener('visibilitychange', onVisibility)
  window.addEventListener('online', onOnline)
  window.addEventListener('pageshow', onOnline)

  const pause = (milliseconds: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    }).finally(() => (wake = undefined))

  const refused = (error: unknown): error is Problem =>
    error instanceof Problem && [401, 403, 404, 410].includes(error.status)

  async function run() {
    let delay = pace.least
    let loaded = false
    what.onLiveness('connecting')
    while (!stopped.signal.aborted) {
      // Opened in the background a page still loads once; then it waits to be looked at.
      if (!visible() && loaded) {
        await pause(3_600_000)
        continue
      }
      round = new AbortController()
      const { signal } = round
      let began = 0
      let reached = false
      try {
        await what.poll(signal)
        reached = true
        loaded = true
        if (!visible()) continue
        await what.stream(signal, () => {
          began = Date.now()
          what.onLiveness('live')
        })
      } catch (error) {
        if (stopped.signal.aborted) return
        if (refused(error)) {
          what.onRefused?.(error)
          return
        }
      }
      if (stopped.signal.aborted) return
      if (!visible() && loaded) continue
      delay = began > 0 && Date.now() - began >= pace.healthy ? pace.least : Math.min(delay * 2, pace.most)
      what.onLiveness(reached ? 'polling' : 'lost')
      // While the server answers polls, never look less often than every three seconds or so.
      const wait = reached ? Math.min(delay, 3 * pace.least) : delay
      await pause(wait * (0.75 + Math.random() / 2))
    }
  }
  void run()

  return () => {
    stopped.abort()
    round?.abort()
    wake?.()
    document.removeEventListener('visibilitychange', onVisibility)
    window.removeEventListener('online', onOnline)
    window.removeEventListener('pageshow', onOnline)
  }
}
