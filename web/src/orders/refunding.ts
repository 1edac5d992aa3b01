import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { api } from '../api/client'
import { Problem } from '../api/problem'
import type { NewRefund, Order, RefundQuote } from '../api/types'
import { togetherWith } from './bundles'
import { device, newKey, read } from './intent'
import { validTickets } from './refunds'

/**
 * Where giving tickets back stands:
 * choosing – which ones, and what goes back for them; sending – asked, not answered;
 * changed – another amount goes back by now, nothing was sent on; refused – a clear no;
 * unsure – no answer came, or none yet: asking the same again is safe.
 */
export type RefundStage = 'choosing' | 'sending' | 'changed' | 'refused' | 'unsure'

/** What was asked with which key, kept until it is answered: asked again, it is the same refund. */
interface Asked {
  key: string
  body: NewRefund
}

const askedAt = (orderId: string) => `boxoffice.refund.${orderId}`

/** What was asked for an order and not answered, as this device remembers it. */
export const askedOf = (orderId: string): Asked | undefined => read<Asked>(device.get(askedAt(orderId)))

/** How long to wait before asking again for an answer that was still to come (202), in milliseconds. */
const pause = 2000
/** So often it is asked by itself before the buyer is told. */
const patience = 5

/** Gives tickets of an order back: chooses, quotes, and asks once, however often it is sent. */
export function useRefunding(order: () => Order, token: string, done: () => void, moved: () => void) {
  const id = order().id
  const stage = ref<RefundStage>(askedOf(id) ? 'unsure' : 'choosing')
  const error = shallowRef<unknown>()
  /** The tickets left out of what goes back: unless the buyer says so, none. */
  const kept = ref(new Set<string>())
  const chosen = computed(() => validTickets(order()).map((t) => t.id).filter((ticket) => !kept.value.has(ticket)))

  const quote = shallowRef<RefundQuote>()
  const quoteError = shallowRef<unknown>()
  const quoting = ref(false)
  /** The amount before it changed. */
  const before = shallowRef<RefundQuote['amount']>()
  let running: AbortController | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let disposed = false

  async function askPrice() {
    running?.abort()
    quoteError.value = undefined
    if (chosen.value.length === 0) {
      quote.value = undefined
      quoting.value = false
      return
    }
    const mine = (running = new AbortController())
    quoting.value = true
    try {
      const answer = await api.quoteRefund(id, token, chosen.value, mine.signal)
      if (mine.signal.aborted) return
      quote.value = answer
    } catch (failure) {
      if (mine.signal.aborted) return
      quote.value = undefined
      quoteError.value = failure
    }
    quoting.value = false
  }

  /** What was quoted has run out: the next step of the rule has begun. Another amount is told, not slipped in. */
  async function askAnew() {
    const old = quote.value?.amount
    await askPrice()
    if (stage.value !== 'choosing' || !old || !quote.value || quote.value.amount.amount === old.amount) return
    before.value = old
    stage.value = 'changed'
  }

  /**
   * Called as the server's time passes. What was quoted holds until the next step of the rule begins; then it is asked for again,
   * and again until the server says so, too: what we take for its time may be a little ahead.
   */
  function pass(now: number) {
    const ended = now > Date.parse(quote.value?.until ?? '')
    if (ended && !quoting.value && stage.value !== 'sending' && stage.value !== 'unsure') void askAnew()
  }

  watch(
    () => chosen.value.join(),
    () => {
      clearTimeout(timer)
      running?.abort()
      quoting.value = true
      // Several quick ticks are one question.
      timer = setTimeout(() => void askPrice(), 150)
    },
  )

  function choose(ticket: string, goesBack: boolean) {
    const next = new Set(kept.value)
    // A bundle goes back as a whole, or not.
    for (const each of togetherWith(order(), ticket)) {
      if (goesBack) next.delete(each)
      else next.add(each)
    }
    kept.value = next
    if (stage.value !== 'sending' && stage.value !== 'unsure') stage.value = 'choosing'
  }

  function forget() {
    device.remove(askedAt(id))
  }

  function finish() {
    forget()
    kept.value = new Set()
    quote.value = undefined
    before.value = undefined
    stage.value = 'choosing'
    done()
  }

  async function carryOut(asked: Asked) {
    stage.value = 'sending'
    error.value = undefined
    device.set(askedAt(id), JSON.stringify(asked))
    /** Whether this answer is still waited for: the order may have told before. */
    const waiting = () => !disposed && stage.value === 'sending'
    try {
      for (let tries = 0; ; tries++) {
        const answer = await api.requestRefund(id, token, asked.body, asked.key)
        if (!waiting()) return
        if (answer.id) return finish()
        if (tries >= patience) break
        await new Promise((resolve) => setTimeout(resolve, pause))
        if (!waiting()) return
      }
      stage.value = 'unsure'
    } catch (failure) {
      if (!waiting()) return
      error.value = failure
      if (!(failure instanceof Problem) || failure.passing) {
        stage.value = 'unsure'
        return
      }
      // A definite no ends the intent: the next one has a key of its own.
      forget()
      before.value = failure.code === 'price_changed' ? asked.body.expected_amount : undefined
      stage.value = failure.code === 'price_changed' ? 'changed' : 'refused'
      moved()
      await askPrice()
    }
  }

  /** Asks for what is chosen, for the amount that is shown. */
  async function confirm() {
    if (stage.value === 'sending' || stage.value === 'unsure' || quoting.value || !quote.value) return
    await carryOut({ key: newKey(), body: { ticket_ids: chosen.value, expected_amount: quote.value.amount } })
  }

  /** Asks the same again, word for word. */
  async function resend() {
    const asked = askedOf(id)
    if (stage.value === 'sending') return
    if (asked) await carryOut(asked)
    else stage.value = 'choosing'
  }

  // The order itself may tell first that the tickets went back: by a slow answer, or in another tab.
  watch(
    () => order().tickets,
    (tickets) => {
      const asked = askedOf(id)
      const stays = (ticket: string) => tickets.some((t) => t.id === ticket && t.state === 'VALID')
      if (asked && (stage.value === 'sending' || stage.value === 'unsure') && !asked.body.ticket_ids.some(stays)) finish()
    },
    { immediate: true },
  )

  const onOnline = () => {
    if (stage.value === 'unsure') void resend()
    else if (quoteError.value) void askPrice()
  }
  window.addEventListener('online', onOnline)
  onScopeDispose(() => {
    disposed = true
    clearTimeout(timer)
    running?.abort()
    window.removeEventListener('online', onOnline)
  })

  return { stage, error, chosen, choose, quote, quoteError, quoting, before, askPrice, pass, confirm, resend }
}
