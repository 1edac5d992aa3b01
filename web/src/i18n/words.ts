import type en from './en'

type Same<T> = { [K in keyof T]: T[K] extends string ? string : Same<T[K]> }

/** The shape every language fills: exactly the keys of English. */
export type Words = Same<typeof en>
