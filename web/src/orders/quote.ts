import { onScopeDispose, ref, shallowRef, watch } from 'vue'
import { api } from '../api/client'
import type { Ask, Codes, Quote } from '../api/types'

/** The server's price of a basket with the buyer's codes, asked again whenever one of them changes. */
export function useQuote(sessionId: () => string | undefined, lines: () => Ask[], codes: () => Codes) {
  const quote = shallowRef<Quote>()
  const error = shallowRef<unknown>()
  /** The shown quote is not (yet) that of the basket. */
  const pending = ref(false)
  let running: AbortController | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  async function ask() {
    running?.abort()
    const session = sessionId()
    const wanted = lines()
    if (!session || wanted.length === 0) {
      quote.value = undefined
      error.value = undefined
      pending.value = false
      return
    }
    const mine = (running = new AbortController())
    pending.value = true
    try {
      const answer = await api.quote(session, wanted, codes(), mine.signal)
      if (mine.signal.aborted) return
      quote.value = answer
      error.value = undefined
    } catch (failure) {
      if (mine.signal.aborted) return
      quote.value = undefined
      error.value = failure
    }
    pending.value = false
  }

  watch(
    () => JSON.stringify([sessionId(), lines(), codes()]),
    () => {
      clearTimeout(timer)
      running?.abort()
      pending.value = lines().length > 0
      // Several quick clicks are one question.
      timer = setTimeout(() => void ask(), 180)
    },
    { immediate: true },
  )
  const again = () => error.value !== undefined && void ask()
  window.addEventListener('online', again)
  onScopeDispose(() => {
    clearTimeout(timer)
    running?.abort()
    window.removeEventListener('online', again)
  })
  return { quote, error, pending, ask }
}
