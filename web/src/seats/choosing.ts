import { computed, ref, shallowRef, watch, type Ref } from 'vue'
import type { Ask } from '../api/types'
import { basketName, orderedAs } from '../orders/intent'
import { chosenIds, lostOf, mostOf, seatLine, toggle, withLine, without, type Refusal, type Rules } from './choice'
import { best, instead } from './instead'
import type { Hall } from './live'

/** Seats that were chosen and are gone, with what may be taken in their place. */
export interface Loss {
  /** The lines as they were chosen, of the ticket types that lost a seat. */
  lines: Ask[]
  ids: string[]
}

export interface Choosing {
  sessionId: () => string
  hall: Ref<Hall | undefined>
  /** Counts the changes of seats. */
  version: Ref<number>
  lines: () => Ask[]
  rules: () => Rules
  change: (lines: Ask[]) => void
}

/** A choice of seats that follows what happens to them. */
export function useChoosing({ sessionId, hall, version, lines, rules, change }: Choosing) {
  const loss = shallowRef<Loss>()
  /** The order that the chosen seats have become, if they did. */
  const ordered = ref<string>()
  /** What came of the last click: the seat and why it was not taken, if it was not. */
  const answer = shallowRef<{ seat: number; added: boolean; refusal?: Refusal; switched?: boolean }>()

  const numbers = (ids: string[]) => ids.map((id) => hall.value?.plan.find(id)).filter((seat) => seat !== undefined)
  const chosen = computed(() => numbers(chosenIds(lines())))
  const lost = computed(() => numbers(loss.value?.ids ?? []))

  // Others buy too: what is gone leaves the choice at once, and the page says which seats and what is nearest.
  watch(
    [version, hall, () => JSON.stringify(lines())],
    () => {
      if (!hall.value) return
      const gone = lostOf(lines(), hall.value.plan, hall.value.states)
      if (gone.length === 0) return
      const order = orderedAs(basketName(sessionId(), lines()))
      if (order) ordered.value = order
      else {
        const hit = lines().filter((l) => l.seat_ids?.some((id) => gone.includes(id)))
        const before = (loss.value?.lines ?? []).filter((l) => !hit.some((h) => h.ticket_type_id === l.ticket_type_id))
        loss.value = { lines: [...before, ...hit], ids: [...new Set([...(loss.value?.ids ?? []), ...gone])] }
      }
      change(without(lines(), gone))
    },
    { immediate: true },
  )

  /** The lines to choose in place of those that lost seats; undefined where there are not enough seats. */
  const alternative = computed<Ask[] | undefined>(() => {
    const now = hall.value
    if (!now || !loss.value || version.value < 0) return undefined
    const found = loss.value.lines.map((l) => {
      const seats = instead(now.plan, now.states, numbers(l.seat_ids ?? []))
      return seats && seatLine(l.ticket_type_id, seats.map((s) => now.plan.idOf(s)))
    })
    return found.every((l) => l !== undefined) && found.length > 0 ? found : undefined
  })
  const offered = computed(() => numbers(chosenIds(alternative.value ?? [])).filter((s) => !chosen.value.includes(s)))

  function takeAlternative() {
    const better = alternative.value
    if (!better) return
    loss.value = undefined
    change(better.reduce(withLine, lines()))
  }

  function dismiss() {
    loss.value = undefined
    ordered.value = undefined
  }

  function choose(seat: number) {
    const now = hall.value
    if (!now) return
    const before = lines()
    const after = toggle(before, seat, now.plan, now.states, rules())
    if (typeof after === 'string') {
      answer.value = { seat, added: false, refusal: after }
      return
    }
    const type = now.plan.typeOf(seat)
    const line = before.find((l) => l.ticket_type_id === type)
    answer.value = { seat, added: chosenIds(after).includes(now.plan.idOf(seat)), switched: !!line && !line.seat_ids }
    // Who chooses anew needs no offer for these any more.
    if (loss.value?.lines.some((l) => l.ticket_type_id === type)) loss.value = undefined
    change(after)
  }

  /**
   * Chooses the n best free seats side by side of some categories, in place of the seats chosen of their type so far. Answers
   * with them; with none where there are not so many together, or where an order may not have so many.
   */
  function chooseBest(n: number, categories: number[]): number[] {
    const now = hall.value
    const sold = (category: number) => {
      const type = rules().types.find((x) => x.id === now?.plan.map.categories[category]?.ticket_type_id)
      const others = lines().filter((l) => l.ticket_type_id !== type?.id)
      const { open, extra, count, perOrder } = rules()
      return !!type && open(type) && n <= mostOf(type, extra) && count(others) + n <= perOrder
    }
    const seats = now && best(now.plan, now.states, categories.filter(sold), n)
    const type = seats?.[0] !== undefined && now?.plan.typeOf(seats[0])
    if (!seats || !type) return []
    loss.value = undefined
    change(withLine(lines(), seatLine(type, seats.map((s) => now.plan.idOf(s)))))
    return seats
  }

  return { chosen, chooseBest, lost, loss, ordered, alternative, offered, answer, choose, takeAlternative, dismiss }
}
