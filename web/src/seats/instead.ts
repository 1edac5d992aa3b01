import type { Plan } from './plan'
import { mark } from './plan'
import type { SeatStates } from './states'

/** Whether the next seat of the row stands beside this one: no aisle between them, of the same category. */
function beside(plan: Plan, seat: number): boolean {
  return (
    seat + 1 < plan.seats &&
    plan.row[seat] === plan.row[seat + 1] &&
    plan.category[seat] === plan.category[seat + 1] &&
    !plan.has(seat, mark.aisle)
  )
}

/** The n free seats side by side nearest to a point. Those for wheelchairs, beside them or with a restricted view come last. */
function nearest(plan: Plan, free: (seat: number) => boolean, category: number, n: number, x: number, y: number) {
  let best: number | undefined
  let least = Infinity
  let run = 0
  for (let seat = 0; seat < plan.seats; seat++) {
    if (plan.category[seat] !== category || !free(seat)) {
      run = 0
      continue
    }
    run = run > 0 && beside(plan, seat - 1) ? run + 1 : 1
    if (run < n) continue
    let cost = 0
    for (let s = seat - n + 1; s <= seat; s++) {
      const at = plan.at(s)
      cost += Math.hypot(at.x - x, at.y - y) + (plan.has(s, mark.wheelchair | mark.companion | mark.restricted) ? 1e9 : 0)
    }
    if (cost < least) {
      least = cost
      best = seat - n + 1
    }
  }
  return best === undefined ? undefined : { seats: Array.from({ length: n }, (_, i) => (best as number) + i), cost: least }
}

/** The n best free seats side by side, of whichever of these categories has them; undefined where none has so many together. */
export function best(plan: Plan, states: SeatStates, categories: number[], n: number): number[] | undefined {
  const [x, y] = plan.map.best
  return categories
    .map((category) => nearest(plan, (s) => states.isFree(s), category, n, x, y))
    .filter((found) => found !== undefined)
    .sort((a, b) => a.cost - b.cost)[0]?.seats
}

/**
 * What to take in place of chosen seats of which some are gone, as the server
 * would offer: as many side by side if the chosen ones were, else those still
 * free and the nearest for each of the others. Undefined where there are not enough.
 */
export function instead(plan: Plan, states: SeatStates, chosen: number[]): number[] | undefined {
  const seats = [...chosen].sort((a, b) => a - b)
  const first = seats[0]
  if (first === undefined) return undefined
  const category = plan.category[first] ?? 0
  if (seats.every((seat, i) => i === 0 || (seat === (seats[i - 1] as number) + 1 && beside(plan, seat - 1)))) {
    const middle = seats.reduce((m, s) => ({ x: m.x + plan.at(s).x, y: m.y + plan.at(s).y }), { x: 0, y: 0 })
    const together = nearest(plan, (s) => states.isFree(s), category, seats.length, middle.x / seats.length, middle.y / seats.length)
    if (together) return together.seats
  }
  const kept = new Set(seats.filter((s) => states.isFree(s)))
  for (const gone of seats.filter((s) => !states.isFree(s))) {
    const at = plan.at(gone)
    const [near] = nearest(plan, (s) => states.isFree(s) && !kept.has(s), category, 1, at.x, at.y)?.seats ?? []
    if (near === undefined) return undefined
    kept.add(near)
  }
  return [...kept].sort((a, b) => a - b)
}
