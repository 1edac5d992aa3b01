import { pointer, select } from 'd3-selection'
import { zoom, zoomIdentity, type D3ZoomEvent } from 'd3-zoom'
import type { Box } from './plan'
import type { Size, View } from './view'

/** How a hand moves a map: wheel, drag, pinch. */
export interface Gestures {
  /** What there is to see, how large the screen is, and between which scales it can be seen. */
  bounds(box: Box, size: Size, least: number, most: number): void
  /** Moves to a view, gently unless the reader wants no motion. */
  go(view: View, gently: boolean): void
  /** Zooms by a factor, around a point of the plan or the middle of the screen. */
  zoom(by: number, around?: { x: number; y: number }): void
  stop(): void
}

export interface Seen {
  moved(view: View): void
  /** A click or tap at a pixel; coarse means by finger. */
  clicked(x: number, y: number, coarse: boolean): void
  pointed(x: number, y: number): void
  left(): void
}

/** How long a gentle move takes, in milliseconds. */
const gentle = 220

export function gestures(canvas: HTMLCanvasElement, seen: Seen): Gestures {
  let [least, most] = [0, Infinity]
  let size: Size = { width: 1, height: 1 }
  let now: View = { k: 1, x: 0, y: 0 }
  let running = 0
  const calm = window.matchMedia('(prefers-reduced-motion: reduce)')

  const behaviour = zoom<HTMLCanvasElement, unknown>()
    .clickDistance(6)
    .tapDistance(16)
    .filter((event: Event) => {
      // Where nothing is left to zoom out of, the wheel and a finger move the page.
      if (event instanceof WheelEvent) return !(event.deltaY > 0 && now.k <= least * 1.001)
      if (window.TouchEvent && event instanceof TouchEvent) return event.touches.length > 1 || now.k > least * 1.001
      return !(event as MouseEvent).button
    })
    .on('start', (event: D3ZoomEvent<HTMLCanvasElement, unknown>) => {
      if (event.sourceEvent) cancelAnimationFrame(running)
    })
    .on('zoom', ({ transform }: D3ZoomEvent<HTMLCanvasElement, unknown>) => {
      now = { k: transform.k, x: transform.x, y: transform.y }
      canvas.style.touchAction = now.k > least * 1.001 ? 'none' : 'pan-x pan-y'
      seen.moved(now)
    })
  const surface = select(canvas).call(behaviour).on('dblclick.zoom', null)

  let coarse = false
  surface
    .on('pointerdown.seat', (event: PointerEvent) => (coarse = event.pointerType === 'touch'))
    .on('click.seat', (event: MouseEvent) => seen.clicked(...pointer(event, canvas), coarse))
    .on('pointermove.seat', (event: PointerEvent) => {
      if (event.pointerType !== 'mouse') return
      if (event.buttons) seen.left()
      else seen.pointed(...pointer(event, canvas))
    })
    .on('pointerleave.seat', () => seen.left())

  // What is put is held within the bounds like what is dragged, so that the next drag does not jump.
  let within: [[number, number], [number, number]] = [[-Infinity, -Infinity], [Infinity, Infinity]]
  const put = (view: View) => {
    const wanted = zoomIdentity.translate(view.x, view.y).scale(view.k)
    behaviour.transform(surface, behaviour.constrain()(wanted, [[0, 0], [size.width, size.height]], within))
  }

  function go(to: View, gently: boolean) {
    cancelAnimationFrame(running)
    if (!gently || calm.matches) return put(to)
    const start = performance.now()
    const away = now
    // The middle of the screen travels straight while the scale changes evenly.
    const middle = (v: View) => ({ x: (size.width / 2 - v.x) / v.k, y: (size.height / 2 - v.y) / v.k })
    const [a, b] = [middle(away), middle(to)]
    const step = (at: number) => {
      const part = Math.min(1, Math.max(0, (at - start) / gentle))
      const eased = 1 - (1 - part) ** 3
      const k = away.k * (to.k / away.k) ** eased
      const x = a.x + (b.x - a.x) * eased
      const y = a.y + (b.y - a.y) * eased
      put(part < 1 ? { k, x: size.width / 2 - k * x, y: size.height / 2 - k * y } : to)
      if (part < 1) running = requestAnimationFrame(step)
    }
    running = requestAnimationFrame(step)
  }

  return {
    bounds(box, to, smallest, largest) {
      ;[least, most, size] = [smallest, largest, to]
      within = [[box.left, box.top], [box.right, box.bottom]]
      behaviour.scaleExtent([least, most]).extent([[0, 0], [size.width, size.height]]).translateExtent(within)
    },
    go,
    zoom(by, around) {
      const k = Math.min(most, Math.max(least, now.k * by))
      const at = around
        ? { x: around.x * now.k + now.x, y: around.y * now.k + now.y }
        : { x: size.width / 2, y: size.height / 2 }
      go({ k, x: at.x - ((at.x - now.x) * k) / now.k, y: at.y - ((at.y - now.y) * k) / now.k }, true)
    },
    stop() {
      cancelAnimationFrame(running)
      surface.on('.zoom', null).on('.seat', null)
    },
  }
}
