import { onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import { api } from '../api/client'
import type { Availability } from '../api/types'
import { follow, type Liveness } from './follow'

/** What is left of each ticket type of a session, kept true while the page is open. */
export function useAvailability(sessionId: Ref<string | undefined>) {
  const left = shallowRef(new Map<string, number>())
  const liveness = ref<Liveness>('connecting')
  let stop: (() => void) | undefined

  const take = (answer: Availability) => {
    left.value = new Map(answer.ticket_types.map((t) => [t.id, t.available]))
  }

  watch(
    sessionId,
    (id) => {
      stop?.()
      left.value = new Map()
      if (!id) return
      stop = follow({
        stream: (signal, opened) =>
          api.availabilityStream(
            id,
            signal,
            (message) => {
              if (message.event === 'availability') take(JSON.parse(message.data) as Availability)
            },
            opened,
          ),
        poll: async (signal) => take(await api.availability(id, signal)),
        onLiveness: (state) => (liveness.value = state),
      })
    },
    { immediate: true },
  )
  onScopeDispose(() => stop?.())
  return { left, liveness }
}
