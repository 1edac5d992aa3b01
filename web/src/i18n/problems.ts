import { codeOf } from '../api/problem'
import { useLanguage } from '.'

/** What went wrong, in plain words: those of an error's stable code, or of any other where it has none of its own. */
export function useProblemWords() {
  const { t, te } = useLanguage()
  return (error: unknown) => {
    const code = codeOf(error)
    const known = te(`problems.${code}.title`) ? code : 'other'
    return { code, known, title: t(`problems.${known}.title`), body: t(`problems.${known}.body`, { code }) }
  }
}
