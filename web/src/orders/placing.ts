import { onScopeDispose, ref, shallowRef } from 'vue'
import { api } from '../api/client'
import { Problem } from '../api/problem'
import type { NewOrder, OrderState, PlacedOrder } from '../api/types'
import {
  forgetSent,
  intentOf,
  rememberSent,
  renewIntent,
  sentOf,
  settleIntent,
  type Sent,
} from './intent'
import { keepOrder, keptOrder } from './tokens'

/**
 * Where placing an order stands:
 * form – the buyer fills in; sending – the request is under way;
 * refused – a clear no, nothing was ordered; unsure – no answer, sending the
 * same again is safe; interrupted – the same, found after a reload;
 * reused – the key belongs to an order with other details;
 * existing – this intent already became an order.
 */
export type Step = 'form' | 'sending' | 'refused' | 'unsure' | 'interrupted' | 'reused' | 'existing'

/** An order in one of these states is over; the same basket may simply be ordered again. */
const over: OrderState[] = ['REFUSED', 'CANCELLED', 'EXPIRED', 'FAILED', 'REFUNDED', 'EXCHANGED']

/** Whether two bodies ask for the same, whatever the order of their fields. */
function same(a: NewOrder, b: NewOrder): boolean {
  const flat = (o: NewOrder) =>
    JSON.stringify([o.session_id, o.lines, o.buyer.name, o.buyer.email, o.buyer.phone ?? '', o.language, o.expected_total, o.attendees ?? [], o.vouchers ?? [], o.access_code ?? '', o.member_code ?? '', o.join ?? false])
  return flat(a) === flat(b)
}

/** Places the order of one basket, at most once however often and from wherever it is asked. */
export function usePlacing(basket: string, placed: (order: PlacedOrder) => void) {
  const step = ref<Step>('form')
  const error = shallowRef<unknown>()
  const existing = shallowRef<{ id: string; state?: OrderState }>()
  let disposed = false

  async function lookForExisting() {
    const { orderId } = intentOf(basket)
    const kept = orderId ? keptOrder(orderId) : undefined
    if (!orderId || !kept) {
      if (orderId) renewIntent(basket)
      const sent = sentOf(basket)
      if (sent?.key === intentOf(basket).key && step.value === 'form') step.value = 'interrupted'
      return
    }
    try {
      const { state } = await api.order(orderId, kept.token)
      if (over.includes(state)) renewIntent(basket)
      else show({ id: orderId, state })
    } catch (failure) {
      const unknown = failure instanceof Problem && [401, 404].includes(failure.status) && !kept.placing
      if (unknown) renewIntent(basket)
      else show({ id: orderId })
    }
  }

  function show(order: { id: string; state?: OrderState }) {
    if (step.value === 'sending') return
    existing.value = order
    step.value = 'existing'
  }

  async function send(sent: Sent) {
    if (step.value === 'sending') return
    step.value = 'sending'
    error.value = undefined
    rememberSent(basket, sent)
    try {
      const order = await api.placeOrder(sent.body, sent.key)
      // 202 carries no price: the order was taken in but is not yet held.
      keepOrder({ id: order.id, token: order.token, placing: order.total === undefined, keptAt: new Date().toISOString() })
      settleIntent(basket, sent.key, order.id)
      if (!disposed) placed(order)
    } catch (failure) {
      error.value = failure
      if (!(failure instanceof Problem) || failure.passing) {
        step.value = 'unsure'
        return
      }
      if (failure.code === 'idempotency_key_reused') {
        forgetSent(basket)
        step.value = 'reused'
        return
      }
      // A definite no ends the intent: the next try is a new one.
      renewIntent(basket)
      step.value = 'refused'
    }
  }

  /** Places the order as the form says now. */
  async function submit(body: NewOrder) {
    if (step.value === 'sending') return
    const intent = intentOf(basket)
    if (intent.orderId && keptOrder(intent.orderId)) return lookForExisting()
    const sent = sentOf(basket)
    if (sent?.key === intent.key && !same(sent.body, body) && !(await settleEarlier(sent))) return
    await send({ key: intentOf(basket).key, body })
  }

  /**
   * What was sent before with other words may have become an order, and other
   * words may make a second one. So the first is asked about before anything
   * new is sent. True when it surely made no order.
   */
  async function settleEarlier(sent: Sent): Promise<boolean> {
    step.value = 'sending'
    error.value = undefined
    try {
      const order = await api.placeOrder(sent.body, sent.key)
      keepOrder({ id: order.id, token: order.token, placing: order.total === undefined, keptAt: new Date().toISOString() })
      settleIntent(basket, sent.key, order.id)
      step.value = 'form'
      show({ id: order.id, state: order.state })
      return false
    } catch (failure) {
      if (failure instanceof Problem && !failure.passing) {
        renewIntent(basket)
        step.value = 'form'
        return true
      }
      error.value = failure
      step.value = 'unsure'
      return false
    }
  }

  /** Sends what was sent before, word for word, with the same key. */
  async function resend() {
    const sent = sentOf(basket)
    if (sent) await send(sent)
    else step.value = 'form'
  }

  /** Begins anew: what was ordered before stays what it is. */
  function startOver() {
    renewIntent(basket)
    existing.value = undefined
    error.value = undefined
    step.value = 'form'
  }

  // Another tab with the same basket was faster.
  const onStorage = (event: StorageEvent) => {
    if (event.key === `boxoffice.intent.${basket}`) void lookForExisting()
  }
  const onOnline = () => {
    if (step.value === 'unsure') void resend()
  }
  // Back from the browser's page cache: the order may have been made meanwhile.
  const onShow = (event: PageTransitionEvent) => {
    if (event.persisted) void lookForExisting()
  }
  window.addEventListener('storage', onStorage)
  window.addEventListener('online', onOnline)
  window.addEventListener('pageshow', onShow)
  onScopeDispose(() => {
    disposed = true
    window.removeEventListener('storage', onStorage)
    window.removeEventListener('online', onOnline)
    window.removeEventListener('pageshow', onShow)
  })
  void lookForExisting()

  return { step, error, existing, submit, resend, startOver }
}
