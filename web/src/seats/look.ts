/** The part of a canvas path that shapes need; a Path2D has it, and so has SvgPath. */
export interface Pen {
  moveTo(x: number, y: number): void
  lineTo(x: number, y: number): void
  quadraticCurveTo(cx: number, cy: number, x: number, y: number): void
  closePath(): void
}

export const shapes = ['square', 'circle', 'diamond', 'hexagon', 'chair', 'triangle'] as const
export type Shape = (typeof shapes)[number]

/** How a category looks: told apart by colour, and by shape where colours are not told apart. */
export interface Look {
  fill: string
  shape: Shape
}

// Dark enough for white numbers (4.5:1), and of clearly different lightness for those who see few colours.
const fills = ['#0f766e', '#2f5bb7', '#a4508b', '#9a5b00', '#5a4fa2', '#4d6b1f']

/** The look of a category by its place on the map. */
export function lookOf(category: number): Look {
  const round = Math.floor(category / fills.length)
  return {
    fill: fills[category % fills.length] as string,
    // From the seventh on colours come again, with other shapes.
    shape: shapes[(category + round) % shapes.length] as Shape,
  }
}

/** Colours of the map that are not a category's. */
export const ink = {
  ground: '#fbfcfb',
  gone: '#cfd7d3',
  held: '#8b9995',
  text: '#14211f',
  soft: '#4a5a57',
  line: '#d5ddd8',
  stage: '#14211f',
  chosen: '#14211f',
  ring: '#f2c14e',
  lost: '#a3271c',
  offered: '#17663f',
  focus: '#0b57d0',
}

/** Corners from the middle, for a radius of 1, clockwise. */
const corners: Record<Exclude<Shape, 'circle' | 'square' | 'chair'>, [number, number][]> = {
  diamond: [[0, -1.12], [1.12, 0], [0, 1.12], [-1.12, 0]],
  hexagon: [[-0.55, -1], [0.55, -1], [1.1, 0], [0.55, 1], [-0.55, 1], [-1.1, 0]],
  triangle: [[0, -1.1], [1.1, 0.95], [-1.1, 0.95]],
}

/** Adds a shape around a point to a path. */
export function trace(pen: Pen, shape: Shape, x: number, y: number, r: number): void {
  switch (shape) {
    case 'square':
      return rounded(pen, x - r, y - r, 2 * r, 2 * r, 0.35 * r, 0.35 * r)
    case 'chair':
      return rounded(pen, x - r, y - r, 2 * r, 2 * r, 0.1 * r, 0.95 * r)
    case 'circle': {
      // Eight quadratic arcs: the error is a thousandth of the radius.
      const step = Math.PI / 4
      pen.moveTo(x + r, y)
      for (let i = 1; i <= 8; i++) {
        const [end, middle, out] = [i * step, (i - 0.5) * step, r / Math.cos(step / 2)]
        pen.quadraticCurveTo(x + out * Math.cos(middle), y + out * Math.sin(middle), x + r * Math.cos(end), y + r * Math.sin(end))
      }
      return pen.closePath()
    }
    default:
      corners[shape].forEach(([cx, cy], i) => (i ? pen.lineTo(x + cx * r, y + cy * r) : pen.moveTo(x + cx * r, y + cy * r)))
      return pen.closePath()
  }
}

/** A box whose upper and lower corners are rounded. */
export function rounded(pen: Pen, x: number, y: number, w: number, h: number, upper: number, lower: number): void {
  pen.moveTo(x + upper, y)
  pen.lineTo(x + w - upper, y)
  pen.quadraticCurveTo(x + w, y, x + w, y + upper)
  pen.lineTo(x + w, y + h - lower)
  pen.quadraticCurveTo(x + w, y + h, x + w - lower, y + h)
  pen.lineTo(x + lower, y + h)
  pen.quadraticCurveTo(x, y + h, x, y + h - lower)
  pen.lineTo(x, y + upper)
  pen.quadraticCurveTo(x, y, x + upper, y)
  pen.closePath()
}

/** Writes the same shapes as the `d` of an SVG path, for legends. */
export class SvgPath implements Pen {
  d = ''
  private put(command: string, ...numbers: number[]) {
    this.d += command + numbers.map((n) => Math.round(n * 100) / 100).join(' ')
  }
  moveTo(x: number, y: number) {
    this.put('M', x, y)
  }
  lineTo(x: number, y: number) {
    this.put('L', x, y)
  }
  quadraticCurveTo(cx: number, cy: number, x: number, y: number) {
    this.put('Q', cx, cy, x, y)
  }
  closePath() {
    this.put('Z')
  }
}
