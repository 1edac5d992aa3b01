import type { PayForm } from '../api/types'
import { safePage } from './story'

/** Where a payment goes on: a page that is opened, or one that wants a form. */
export interface Door {
  payUrl?: string
  payForm?: PayForm
}

/** Leaves for a gateway's page. False when its address may not be opened. */
export function leaveFor({ payUrl, payForm }: Door): boolean {
  if (!safePage(payUrl)) return false
  if (!payForm) {
    window.location.assign(payUrl)
    return true
  }
  const form = document.createElement('form')
  form.setAttribute('method', 'post')
  form.setAttribute('action', payUrl)
  form.setAttribute('target', '_top')
  form.setAttribute('accept-charset', 'utf-8')
  form.hidden = true
  for (const [name, value] of Object.entries(payForm)) {
    const field = document.createElement('input')
    field.type = 'hidden'
    field.name = name
    field.value = value
    form.append(field)
  }
  document.body.append(form)
  // A field may be called "submit" and hide the form's own.
  HTMLFormElement.prototype.submit.call(form)
  form.remove()
  return true
}
