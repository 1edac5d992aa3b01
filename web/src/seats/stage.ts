import type { Kind } from '../api/types'
import type { Box, Plan } from './plan'

/** What everybody looks at, as it is drawn. */
export interface Stage {
  kind: 'screen' | 'stage' | 'field'
  box: Box
}

/** Works out how large a stage may be drawn so that it touches no seat. */
export function stageOf(plan: Plan, event: Kind): Stage {
  const [x, y] = plan.map.stage
  let nearest = Infinity
  let [left, right] = [Infinity, -Infinity]
  for (let seat = 0; seat < plan.seats; seat++) {
    const at = plan.at(seat)
    left = Math.min(left, at.x)
    right = Math.max(right, at.x)
    nearest = Math.min(nearest, Math.hypot(at.x - x, at.y - y))
  }
  const gap = 2 * plan.pitch
  // The way up and down to the first seats, then to the sides as far as nothing stands between.
  const strip = 0.1 * (right - left)
  const [up, down] = clear(plan, (px, py) => (Math.abs(px - x) <= strip ? py - y : 0))
  if (up < Infinity && down < Infinity) {
    const half = Math.min(up, down) - gap
    const [before, after] = clear(plan, (px, py) => (Math.abs(py - y) <= half ? px - x : 0))
    const wide = Math.min(before, after, x - left, right - x) - gap
    return { kind: 'field', box: { left: x - 0.94 * wide, top: y - 0.9 * half, right: x + 0.94 * wide, bottom: y + 0.9 * half } }
  }
  if (event === 'cinema') {
    const half = 0.36 * (right - left)
    return { kind: 'screen', box: { left: x - half, top: y - 40, right: x + half, bottom: y + 40 } }
  }
  const half = Math.min(0.3 * (right - left), Math.max(nearest, 4 * plan.pitch))
  const deep = Number.isFinite(nearest) ? Math.max(nearest - gap, 2 * plan.pitch) : half
  return { kind: 'stage', box: { left: x - half, top: y - 0.35 * deep, right: x + half, bottom: y + 0.6 * deep } }
}

/** How far it is before and behind to the first seat or corner of an area, where along says how far along each is. */
function clear(plan: Plan, along: (x: number, y: number) => number): [number, number] {
  let [before, after] = [Infinity, Infinity]
  const take = (distance: number) => {
    if (distance < 0) before = Math.min(before, -distance)
    if (distance > 0) after = Math.min(after, distance)
  }
  for (let seat = 0; seat < plan.seats; seat++) take(along(plan.at(seat).x, plan.at(seat).y))
  for (const area of plan.map.areas) for (const [x, y] of area.outline) take(along(x, y))
  return [before, after]
}
