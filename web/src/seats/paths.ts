import type { Grid } from './grid'
import { lookOf, trace, type Pen } from './look'
import type { Plan } from './plan'
import type { SeatStates } from './states'

/** Seats of one square that look the same, as one path in centimetres. */
export interface Layer<P> {
  category: number
  state: number
  path: P
}

/** How much is seen of a seat: far away a dot, near its shape. */
export type Detail = 'far' | 'near'

/** The part of the pitch that a seat fills, on either side of its middle. */
export const reach = 0.41

/**
 * The paths of all seats, square by square. A path is built when its square is
 * first seen, and again only when a seat in it has changed: moving the map
 * builds nothing.
 */
export class SeatPaths<P extends Pen> {
  /** How many paths were built so far. */
  builds = 0
  private readonly kept: Record<Detail, (Layer<P>[] | undefined)[]> = { far: [], near: [] }

  constructor(
    private readonly plan: Plan,
    private readonly grid: Grid,
    private readonly states: SeatStates,
    private readonly make: () => P,
  ) {}

  /** The layers of a square. */
  of(cell: number, detail: Detail): Layer<P>[] {
    return (this.kept[detail][cell] ??= this.build(cell, detail))
  }

  /** Tells that seats have changed. */
  changed(seats: number[]): void {
    for (const seat of seats) {
      const cell = this.grid.cellOf(seat)
      this.kept.far[cell] = this.kept.near[cell] = undefined
    }
  }

  private build(cell: number, detail: Detail): Layer<P>[] {
    const layers = new Map<number, Layer<P>>()
    const radius = reach * this.plan.pitch
    for (const seat of this.grid.cells[cell] ?? []) {
      const category = this.plan.category[seat] ?? 0
      const state = this.states.state[seat] ?? 0
      const key = category * 4 + state
      let layer = layers.get(key)
      if (!layer) {
        layer = { category, state, path: this.make() }
        layers.set(key, layer)
        this.builds++
      }
      const { x, y } = this.plan.at(seat)
      if (detail === 'near') trace(layer.path, lookOf(category).shape, x, y, radius)
      else dot(layer.path, x, y, 0.47 * this.plan.pitch)
    }
    return [...layers.values()]
  }
}

function dot(pen: Pen, x: number, y: number, r: number): void {
  pen.moveTo(x - r, y - r)
  pen.lineTo(x + r, y - r)
  pen.lineTo(x + r, y + r)
  pen.lineTo(x - r, y + r)
  pen.closePath()
}
