import { onScopeDispose, ref } from 'vue'
import { serverClock } from './clock'

/** The server's time in milliseconds, ticking with the seconds while the component lives. */
export function useNow() {
  const now = ref(serverClock.now())
  let timer: ReturnType<typeof setTimeout>
  const tick = () => {
    now.value = serverClock.now()
    // Just past the next full second, so that a countdown never stutters.
    timer = setTimeout(tick, 1000 - (now.value % 1000) + 5)
  }
  tick()
  const wake = () => {
    clearTimeout(timer)
    tick()
  }
  document.addEventListener('visibilitychange', wake)
  onScopeDispose(() => {
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', wake)
  })
  return now
}
