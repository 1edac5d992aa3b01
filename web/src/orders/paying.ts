import { computed, ref, shallowRef, watch } from 'vue'
import { api } from '../api/client'
import { Problem } from '../api/problem'
import type { Order, PayForm } from '../api/types'
import { leaveFor } from './leaving'
import { showsCode } from './methods'
import { openAttempt, spentAttempt } from './story'

/** A payment that is open at a gateway. `qr` is set only where a code is to be shown. */
export interface OpenPayment {
  attempt: string
  method: string
  qr?: string
  payUrl?: string
  payForm?: PayForm
  /** RFC 3339. */
  expiresAt: string
}

/** Paying one order: beginning an attempt, going on with the open one, and what went wrong. */
export function usePaying(order: () => Order, token: string, now: () => number, changed: () => void) {
  /** The method whose payment is being opened. */
  const busy = ref('')
  const error = shallowRef<unknown>()
  /** The gateway's address may not be opened. */
  const unsafe = ref(false)
  /** What the gateway answered just now, until the order itself carries it. */
  const fresh = shallowRef<OpenPayment>()

  const payment = computed<OpenPayment | undefined>(() => {
    const open = openAttempt(order(), now())
    const known = open && {
      attempt: open.id, method: open.method, qr: open.qr, payUrl: open.pay_url, payForm: open.pay_form, expiresAt: open.expires_at,
    }
    const shown = fresh.value && fresh.value.attempt !== open?.id ? fresh.value : known
    return shown && { ...shown, qr: showsCode(shown.method, shown.qr, shown.payUrl) ? shown.qr : undefined }
  })
  /** The method to offer once more: its last attempt came to nothing. */
  const spent = computed(() => (payment.value ? undefined : spentAttempt(order())?.method))

  // An answer is fresh only until the attempt it began shows up in the order, open or already settled.
  watch(
    () => order().attempts,
    (attempts) => {
      if (attempts.some((a) => a.id === fresh.value?.attempt)) fresh.value = undefined
    },
  )

  function go(door: Pick<OpenPayment, 'payUrl' | 'payForm'>) {
    unsafe.value = !leaveFor(door)
  }

  async function pay(method: string) {
    if (busy.value) return
    busy.value = method
    error.value = undefined
    unsafe.value = false
    try {
      const started = await api.pay(order().id, token, method)
      fresh.value = {
        attempt: started.attempt_id, method, qr: started.qr, payUrl: started.pay_url, payForm: started.pay_form, expiresAt: started.expires_at,
      }
      if (!showsCode(method, started.qr, started.pay_url)) {
        go(fresh.value)
        // The page stays busy while the browser leaves it; if it does not leave, it becomes usable again.
        await new Promise((resolve) => setTimeout(resolve, 1500))
      }
    } catch (failure) {
      error.value = failure
      // Whatever happened meanwhile (paid, closed, cancelled elsewhere) is read, not guessed.
      if (!(failure instanceof Problem) || !failure.passing) fresh.value = undefined
    }
    busy.value = ''
    changed()
  }

  return { busy, error, unsafe, payment, spent, go, pay }
}
