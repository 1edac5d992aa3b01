import { onScopeDispose, ref, shallowRef } from 'vue'
import { api } from '../api/client'
import { Problem } from '../api/problem'
import type { Order, TimelineEntry } from '../api/types'
import { serverClock } from './clock'
import { follow, type Liveness } from './follow'

/**
 * One order and its timeline, kept true while the page is open. Entries of
 * the stream only say that something happened: the order itself is always
 * read anew, so that a page never shows a state nobody confirmed.
 */
export function useOrder(id: string, token: string, placing: () => boolean) {
  const order = shallowRef<Order>()
  const timeline = shallowRef<TimelineEntry[]>([])
  const liveness = ref<Liveness>('connecting')
  const refusal = shallowRef<Problem>()
  /** The order was accepted (202) but is not yet to be found. */
  const notYetThere = ref(false)
  let stop: (() => void) | undefined
  let reading: Promise<void> | undefined
  let again = false
  let opening: ReturnType<typeof setTimeout> | undefined

  const last = () => timeline.value.at(-1)?.sequence ?? 0

  function add(entries: TimelineEntry[]) {
    const bySequence = new Map(timeline.value.map((e) => [e.sequence, e]))
    for (const entry of entries) bySequence.set(entry.sequence, entry)
    timeline.value = [...bySequence.values()].sort((a, b) => a.sequence - b.sequence)
  }

  /** Takes an order read from the server, unless a newer one is already shown. */
  function take(read: Order) {
    notYetThere.value = false
    if (!order.value || read.revision >= order.value.revision) order.value = read
    // That a gateway has answered to a new attempt is not told by the timeline.
    clearTimeout(opening)
    if (order.value.attempts?.some((a) => a.state === 'CREATED' && serverClock.now() - Date.parse(a.created_at) < 60_000)) {
      opening = setTimeout(() => void refresh().catch(() => undefined), 1000)
    }
  }

  async function readOnce(signal?: AbortSignal) {
    try {
      take(await api.order(id, token, signal))
    } catch (error) {
      if (error instanceof Problem && error.status === 404 && placing() && !order.value) {
        notYetThere.value = true
        throw new Error('not there yet', { cause: error })
      }
      throw error
    }
  }

  /** Reads the order; calls that come while one is under way share one more reading. */
  async function refresh(signal?: AbortSignal): Promise<void> {
    if (reading) {
      again = true
      return reading
    }
    reading = (async () => {
      do {
        again = false
        await readOnce(signal)
      } while (again)
    })()
    try {
      await reading
    } finally {
      reading = undefined
      again = false
    }
  }

  function start() {
    stop?.()
    refusal.value = undefined
    stop = follow({
      poll: async (signal) => {
        await refresh(signal)
        add((await api.timeline(id, token, signal)).events)
        // What happened between the two readings is on the timeline already, so that no stream will tell it again.
        if (last() > (order.value?.revision ?? 0)) await refresh(signal)
      },
      stream: (signal, opened) =>
        api.timelineStream(
          id,
          token,
          last(),
          signal,
          (message) => {
            if (message.event !== 'order') return
            add([JSON.parse(message.data) as TimelineEntry])
            // A failed reading is made good by the next poll.
            refresh(signal).catch(() => undefined)
          },
          opened,
        ),
      onLiveness: (state) => (liveness.value = state),
      onRefused: (problem) => (refusal.value = problem),
    })
  }
  start()
  onScopeDispose(() => {
    stop?.()
    clearTimeout(opening)
  })

  return { order, timeline, liveness, refusal, notYetThere, refresh, take, restart: start }
}
