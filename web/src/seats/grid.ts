import type { Box, Plan } from './plan'

/** Finds seats by place: the plan cut into squares of some seats each. */
export class Grid {
  readonly columns: number
  readonly lines: number
  /** The seats of each square, line by line. */
  readonly cells: number[][]

  constructor(
    private readonly plan: Plan,
    /** The side of a square in centimetres. */
    readonly side: number,
  ) {
    const { box } = plan
    this.columns = Math.max(1, Math.ceil((box.right - box.left) / side))
    this.lines = Math.max(1, Math.ceil((box.bottom - box.top) / side))
    this.cells = Array.from({ length: this.columns * this.lines }, () => [])
    for (let seat = 0; seat < plan.seats; seat++) this.cells[this.cellOf(seat)]?.push(seat)
  }

  private column(x: number): number {
    return Math.min(this.columns - 1, Math.max(0, Math.floor((x - this.plan.box.left) / this.side)))
  }

  private line(y: number): number {
    return Math.min(this.lines - 1, Math.max(0, Math.floor((y - this.plan.box.top) / this.side)))
  }

  /** The square a seat is in. */
  cellOf(seat: number): number {
    const { x, y } = this.plan.at(seat)
    return this.line(y) * this.columns + this.column(x)
  }

  /** The squares that a box touches and that have seats; around counts to their own size. */
  touched(box: Box, around = 0): number[] {
    const cells: number[] = []
    const last = this.column(box.right + around)
    for (let line = this.line(box.top - around); line <= this.line(box.bottom + around); line++) {
      for (let column = this.column(box.left - around); column <= last; column++) {
        const cell = line * this.columns + column
        if (this.cells[cell]?.length) cells.push(cell)
      }
    }
    return cells
  }

  /** The seat nearest to a point, at most so far away. */
  nearest(x: number, y: number, most: number): number | undefined {
    let best: number | undefined
    let distance = most
    for (const cell of this.touched({ left: x - most, top: y - most, right: x + most, bottom: y + most })) {
      for (const seat of this.cells[cell] as number[]) {
        const at = this.plan.at(seat)
        const away = Math.hypot(at.x - x, at.y - y)
        if (away <= distance) {
          distance = away
          best = seat
        }
      }
    }
    return best
  }

  /**
   * The next seat in a direction (a unit vector), as the arrow keys mean it:
   * what is straight ahead comes before what is nearer but to the side.
   */
  next(from: number, dx: number, dy: number): number | undefined {
    const { x, y } = this.plan.at(from)
    for (let reach = 3 * this.plan.pitch; ; reach *= 3) {
      let best: number | undefined
      let least = Infinity
      const around = { left: x - reach, top: y - reach, right: x + reach, bottom: y + reach }
      for (const cell of this.touched(around)) {
        for (const seat of this.cells[cell] as number[]) {
          const at = this.plan.at(seat)
          const ahead = (at.x - x) * dx + (at.y - y) * dy
          const aside = Math.abs((at.x - x) * dy - (at.y - y) * dx)
          const cost = ahead + 2 * aside
          // Within the square nothing beyond its edge can be cheaper.
          if (ahead > 1 && aside <= ahead && cost < least && cost <= reach) {
            least = cost
            best = seat
          }
        }
      }
      if (best !== undefined) return best
      const { box } = this.plan
      if (reach > 2 * Math.max(box.right - box.left, box.bottom - box.top)) return undefined
    }
  }
}
