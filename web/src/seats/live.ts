import { onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import { api } from '../api/client'
import type { SeatMap, Seats } from '../api/seats'
import { follow, type Liveness } from '../live/follow'
import { Plan } from './plan'
import { SeatStates } from './states'

/** A session's plan with how its seats stand. */
export interface Hall {
  plan: Plan
  states: SeatStates
}

const plans = new Map<string, Promise<Plan>>()

/** The plan of a session, fetched once while the page lives. */
export function planOf(sessionId: string, fetchMap: (id: string) => Promise<SeatMap> = api.seatMap): Promise<Plan> {
  let plan = plans.get(sessionId)
  if (!plan) {
    plan = fetchMap(sessionId).then((map) => new Plan(map))
    plans.set(sessionId, plan)
    plan.catch(() => plans.delete(sessionId))
  }
  return plan
}

/**
 * Keeps the seats of a session as the server says they are. A stream that
 * breaks goes on where it was: whoever says which event came last is told only
 * what has changed since. What is read in one piece, where no stream can be
 * had, is of no known place in it, so that the next one begins anew.
 */
export class SeatFeed {
  private last = ''

  constructor(
    private readonly sessionId: string,
    private readonly server: Pick<typeof api, 'seatMap' | 'seats' | 'seatsStream'>,
    /** Called with the hall, and the seats that changed; without them when all may have. */
    private readonly told: (hall: Hall, changed?: number[]) => void,
  ) {}

  private hall: Hall | undefined

  async poll(signal: AbortSignal): Promise<void> {
    if (this.last) return
    const now = await this.server.seats(this.sessionId, signal)
    if (!this.last) await this.take(now)
  }

  async stream(signal: AbortSignal, opened: () => void): Promise<void> {
    // Messages wait for each other: the first may have to fetch the plan.
    let queue = Promise.resolve()
    let failed: unknown
    let open = false
    const stop = new AbortController()
    const end = () => stop.abort()
    signal.addEventListener('abort', end, { once: true })
    try {
      await this.server.seatsStream(
        this.sessionId,
        this.last,
        stop.signal,
        (message) => {
          if (message.event !== 'seats') return
          queue = queue
            .then(() => this.take(JSON.parse(message.data) as Seats))
            .then(() => {
              this.last = message.id
            })
            .catch((error: unknown) => {
              failed ??= error
              stop.abort()
            })
        },
        () => {
          open = true
          opened()
        },
      )
      await queue
    } finally {
      signal.removeEventListener('abort', end)
      // Without streams the whole state is asked for, again and again.
      if (!open || failed) this.last = ''
    }
    if (failed) throw failed
  }

  private async take(message: Seats): Promise<void> {
    let { hall } = this
    if (!hall?.states.knows(message)) {
      // The first message, or the session has another map now.
      if (hall) plans.delete(this.sessionId)
      const plan = await planOf(this.sessionId, this.server.seatMap)
      hall = { plan, states: new SeatStates(plan.ref, plan.category, plan.map.categories.length) }
      if (!hall.states.knows(message)) {
        plans.delete(this.sessionId)
        throw new Error('the plan and the seats are not of one map')
      }
      this.hall = hall
      hall.states.take(message)
      this.told(hall)
      return
    }
    const changed = hall.states.take(message)
    if (changed.length > 0) this.told(hall, changed)
  }
}

/** The hall of a session, kept true while the component lives. */
export function useHall(sessionId: Ref<string | undefined>) {
  const hall = shallowRef<Hall>()
  /** Counts the times that seats changed; what depends on seats reads it. */
  const version = ref(0)
  /** Those that changed last, or undefined when all may have. */
  const changed = shallowRef<number[]>()
  const liveness = ref<Liveness>('connecting')
  let stop: (() => void) | undefined

  watch(
    sessionId,
    (id) => {
      stop?.()
      hall.value = undefined
      if (!id) return
      const mine = new SeatFeed(id, api, (now, seats) => {
        if (id !== sessionId.value) return
        changed.value = seats
        hall.value = now
        version.value++
      })
      stop = follow({
        stream: (signal, opened) => mine.stream(signal, opened),
        poll: (signal) => mine.poll(signal),
        onLiveness: (state) => (liveness.value = state),
      })
    },
    { immediate: true },
  )
  onScopeDispose(() => stop?.())
  return { hall, version, changed, liveness }
}
