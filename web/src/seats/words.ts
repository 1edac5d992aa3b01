import type { TicketType } from '../api/types'
import { useLanguage } from '../i18n'
import type { Hall } from './live'
import { mark, type Plan } from './plan'
import { free, held } from './states'

/** "Stalls, row C, seat 14"; halls of one part need not say which. */
export function usePlaces() {
  const { t, text } = useLanguage()
  return (plan: Plan, seat: number): string => {
    const where = { row: plan.rowOf(seat).label, number: plan.labelOf(seat) }
    const section = plan.sections.length > 1 ? text(plan.sectionOf(seat).name) : ''
    return section ? t('seats.place', { section, ...where }) : t('seats.place_here', where)
  }
}

/** What seats are called in the reader's language. */
export function useSeatWords(hall: () => Hall, types: () => TicketType[]) {
  const { t, text, money } = useLanguage()
  const placeOf = usePlaces()

  const category = (seat: number) => hall().plan.map.categories[hall().plan.category[seat] ?? 0]
  const typeOf = (seat: number) => types().find((x) => x.id === hall().plan.typeOf(seat))

  const place = (seat: number) => placeOf(hall().plan, seat)

  /** "Standard, CN¥51.00" */
  function offer(seat: number): string {
    const type = typeOf(seat)
    return type ? `${text(type.name)} · ${money(type.price)}` : text(category(seat)?.name)
  }

  /** What is special about it; empty if nothing is. */
  function marks(seat: number): string {
    const { plan } = hall()
    return (['wheelchair', 'companion', 'restricted'] as const)
      .filter((name) => plan.has(seat, mark[name]))
      .map((name) => t(`seats.${name}`))
      .join(', ')
  }

  /** Everything there is to say of it but how it stands. */
  const whole = (seat: number) => [place(seat), offer(seat), marks(seat)].filter(Boolean).join(', ')

  function state(seat: number, open: boolean): string {
    const now = hall().states.state[seat]
    if (now === held) return t('seats.held')
    if (now !== free) return t('seats.taken')
    return open ? t('seats.free') : t('seats.not_sold')
  }

  /** Seats by their ids, in short: "C 14". */
  function brief(id: string): string {
    const seat = hall().plan.find(id)
    return seat === undefined ? id : t('seats.brief', { row: hall().plan.rowOf(seat).label, number: hall().plan.labelOf(seat) })
  }

  return { place, offer, marks, whole, state, brief }
}
