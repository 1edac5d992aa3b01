import type { Box, Plan } from './plan'

/** Where the map is seen: a point of the plan is at (k·x + x₀, k·y + y₀) of the screen, in CSS pixels. */
export interface View {
  k: number
  x: number
  y: number
}

export interface Size {
  width: number
  height: number
}

/** Sizes of a seat on the screen, in CSS pixels, from which on more can be seen or done. */
export const from = {
  /** Shapes instead of dots. */
  shape: 6,
  /** Marks and letters of rows. */
  mark: 11,
  /** Numbers. */
  number: 19,
  /** A click means the seat, not its surroundings. */
  click: 9,
  touch: 15,
  /** What is zoomed to when a seat is to be seen well. */
  comfort: 26,
  most: 52,
}

/** The view that shows a box as large as can be, within a scale. */
export function fit(box: Box, size: Size, around = 16, most = Infinity): View {
  const width = Math.max(1, box.right - box.left)
  const height = Math.max(1, box.bottom - box.top)
  const k = Math.min(most, Math.max(1, size.width - 2 * around) / width, Math.max(1, size.height - 2 * around) / height)
  return {
    k,
    x: size.width / 2 - (k * (box.left + box.right)) / 2,
    y: size.height / 2 - (k * (box.top + box.bottom)) / 2,
  }
}

/** The part of the plan that is seen. */
export function seen(view: View, size: Size): Box {
  return {
    left: -view.x / view.k,
    top: -view.y / view.k,
    right: (size.width - view.x) / view.k,
    bottom: (size.height - view.y) / view.k,
  }
}

/** The box around seats, with some of their surroundings. */
export function around(plan: Plan, seats: number[], pitches: number): Box {
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity }
  const more = pitches * plan.pitch
  for (const seat of seats) {
    const { x, y } = plan.at(seat)
    box.left = Math.min(box.left, x - more)
    box.top = Math.min(box.top, y - more)
    box.right = Math.max(box.right, x + more)
    box.bottom = Math.max(box.bottom, y + more)
  }
  return box
}

/** The plan together with the stage as it is drawn, which may reach further. */
export function union(a: Box, b: Box): Box {
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  }
}
