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
  // The free space up, down and to the sides.
  const room = { left: Infinity, right: Infinity, up: Infinity, down: Infinity }
  let nearest = Infinity
  let [left, right] = [Infinity, -Infinity]
  for (let seat = 0; seat < plan.seats; seat++) {
    const at = plan.at(seat)
    const [dx, dy] = [at.x - x, at.y - y]
    left = Math.min(left, at.x)
    right = Math.max(right, at.x)
    nearest = Math.min(nearest, Math.hypot(dx, dy))
    // Which side a seat is on is said by the larger of its two distances.
    if (Math.abs(dx) >= Math.abs(dy)) {
      if (dx < 0) room.left = Math.min(room.left, -dx)
      else room.right = Math.min(room.right, dx)
    } else if (dy < 0) room.up = Math.min(room.up, -dy)
    else room.down = Math.min(room.down, dy)
  }
  for (const area of plan.map.areas) {
    for (const [cx, cy] of area.outline) {
      if (cx > x && Math.abs(cy - y) < room.down) room.right = Math.min(room.right, cx - x)
      if (cx < x && Math.abs(cy - y) < room.down) room.left = Math.min(room.left, x - cx)
    }
  }
  const gap = 2 * plan.pitch
  if (Number.isFinite(room.up) && Number.isFinite(room.down)) {
    const [w, h] = [Math.min(room.left, room.right, right - x) - gap, Math.min(room.up, room.down) - gap]
    return { kind: 'field', box: { left: x - 0.9 * w, top: y - 0.86 * h, right: x + 0.9 * w, bottom: y + 0.86 * h } }
  }
  if (event === 'cinema') {
    const half = 0.36 * (right - left)
    return { kind: 'screen', box: { left: x - half, top: y - 40, right: x + half, bottom: y + 40 } }
  }
  const half = Math.min(0.3 * (right - left), Math.max(nearest, 4 * plan.pitch))
  const deep = Number.isFinite(nearest) ? Math.max(nearest - gap, 2 * plan.pitch) : half
  return { kind: 'stage', box: { left: x - half, top: y - 0.35 * deep, right: x + half, bottom: y + 0.6 * deep } }
}
