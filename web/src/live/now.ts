import { onScopeDispose, ref, watch } from 'vue'
import { serverClock } from './clock'

/**
 * The server's time in milliseconds while the component lives. It ticks with the seconds that are left until a moment, if there is one:
 * by the seconds of the clock a countdown would show each of its seconds for up to another one too long.
 */
export function useNow(until: () => string | undefined = () => undefined) {
  const now = ref(serverClock.now())
  let timer: ReturnType<typeof setTimeout>
  const tick = () => {
    now.value = serverClock.now()
    const end = Date.parse(until() ?? '')
    const ahead = (Number.isNaN(end) ? 0 : end) - now.value
    // Just past the next full second, so that a countdown never stutters.
    timer = setTimeout(tick, (((ahead % 1000) + 1000) % 1000 || 1000) + 5)
  }
  tick()
  const wake = () => {
    clearTimeout(timer)
    tick()
  }
  watch(until, wake, { flush: 'sync' })
  document.addEventListener('visibilitychange', wake)
  onScopeDispose(() => {
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', wake)
  })
  return now
}
