import { onScopeDispose, ref } from 'vue'

/** Whether the page is held in a hand: then payment apps are on this device, and its own screen cannot be scanned. */
export function usePhone() {
  const query = window.matchMedia('(max-width: 600px), (hover: none) and (pointer: coarse)')
  const phone = ref(query.matches)
  const change = () => (phone.value = query.matches)
  query.addEventListener('change', change)
  onScopeDispose(() => query.removeEventListener('change', change))
  return phone
}
