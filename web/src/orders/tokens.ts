import { onScopeDispose, shallowRef } from 'vue'
import type { Text } from '../api/types'

/** What this device remembers of an order: its key to the server and enough to list it offline. */
export interface KeptOrder {
  id: string
  token: string
  /** When it was kept, RFC 3339. */
  keptAt: string
  title?: Text
  startsAt?: string
  timeZone?: string
  /** The server answered 202: the order may not be found for a moment. */
  placing?: boolean
}

const prefix = 'boxoffice.order.'

// One entry per order, so that two tabs never overwrite each other's list.
const memory = new Map<string, KeptOrder>()

function parse(text: string | null): KeptOrder | undefined {
  if (!text) return undefined
  try {
    const kept: unknown = JSON.parse(text)
    if (typeof kept === 'object' && kept !== null && 'id' in kept && 'token' in kept) return kept as KeptOrder
  } catch {
    // Somebody else's entry, or a broken one.
  }
  return undefined
}

/** The kept order with this id, if this device has it. */
export function keptOrder(id: string): KeptOrder | undefined {
  try {
    const stored = parse(localStorage.getItem(prefix + id))
    if (stored) return stored
  } catch {
    // Storage is switched off: what this page holds in memory has to do.
  }
  return memory.get(id)
}

/** Keeps an order, or adds to what is kept of it. */
export function keepOrder(order: Partial<KeptOrder> & { id: string }): void {
  const before = keptOrder(order.id)
  const token = order.token ?? before?.token
  if (!token) return
  const kept: KeptOrder = { keptAt: new Date().toISOString(), ...before, ...order, token }
  const text = JSON.stringify(kept)
  if (before && JSON.stringify(before) === text) return
  memory.set(order.id, kept)
  try {
    localStorage.setItem(prefix + order.id, text)
  } catch {
    // Private mode or a full store.
  }
  announce()
}

/** Forgets an order on this device; the order itself is untouched. */
export function forgetOrder(id: string): void {
  memory.delete(id)
  try {
    localStorage.removeItem(prefix + id)
  } catch {
    // Nothing was stored then.
  }
  announce()
}

/** Every kept order, the newest first. */
export function keptOrders(): KeptOrder[] {
  const all = new Map(memory)
  try {
    for (let i = 0; i < localStorage.length; i++) {
      const name = localStorage.key(i)
      if (!name?.startsWith(prefix)) continue
      const kept = parse(localStorage.getItem(name))
      if (kept) all.set(kept.id, kept)
    }
  } catch {
    // Only memory then.
  }
  return [...all.values()].sort((a, b) => b.keptAt.localeCompare(a.keptAt))
}

const listeners = new Set<() => void>()
const announce = () => listeners.forEach((listener) => listener())

/** The kept orders as a live list: follows this tab and every other. */
export function useKeptOrders() {
  const orders = shallowRef(keptOrders())
  const read = () => (orders.value = keptOrders())
  const onStorage = (event: StorageEvent) => {
    if (event.key === null || event.key.startsWith(prefix)) read()
  }
  listeners.add(read)
  window.addEventListener('storage', onStorage)
  onScopeDispose(() => {
    listeners.delete(read)
    window.removeEventListener('storage', onStorage)
  })
  return orders
}

/** Reads the token of a link such as /orders/X#token=…; undefined when the hash is something else. */
export function tokenInHash(hash: string): string | undefined {
  if (!hash.startsWith('#')) return undefined
  return new URLSearchParams(hash.slice(1)).get('token') || undefined
}
