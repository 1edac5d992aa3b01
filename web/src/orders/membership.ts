import { api } from '../api/client'
import type { Membership } from '../api/membership'
import { codeOf, Problem } from '../api/problem'
import type { Ask, Codes } from '../api/types'
import { device } from './intent'

// A member code is kept on the device, apart for every programme, as the keys of orders are: it is of no use without the mail address.

const memberAt = (programmeId: string) => `boxoffice.member.${programmeId}`

/** The member code this device knows of a programme; empty if it knows none. */
export const memberCode = (programmeId: string): string => device.get(memberAt(programmeId)) ?? ''

export const keepMemberCode = (programmeId: string, code: string): void => device.set(memberAt(programmeId), code)

export const forgetMemberCode = (programmeId: string): void => device.remove(memberAt(programmeId))

/** Keeps the code that an order shows to whoever may know it. */
export function keepMembership(membership: Membership | undefined): void {
  if (membership?.code) keepMemberCode(membership.programme_id, membership.code)
}

/** Whether an error says that the member code is no good for what was asked. */
export const refusesMember = (error: unknown): boolean => codeOf(error) === 'member_invalid'

/** Tries codes with a member's among them: what speaks against it, if something does. Whatever else is wrong is not about the code. */
export async function againstMember(sessionId: string, lines: Ask[], codes: Codes): Promise<unknown> {
  try {
    await api.quote(sessionId, lines, codes)
  } catch (failure) {
    if (!(failure instanceof Problem) || failure.passing || refusesMember(failure)) return failure
  }
  return undefined
}

/** The code this device remembers, if it is good; it is forgotten only if it is certainly not. */
export async function recalled(programmeId: string, sessionId: string, lines: Ask[], codes: Codes = {}): Promise<string | undefined> {
  const code = memberCode(programmeId)
  if (!code) return undefined
  const failure = await againstMember(sessionId, lines, { ...codes, member_code: code })
  if (refusesMember(failure)) forgetMemberCode(programmeId)
  return failure ? undefined : code
}

/** How many points are missing to the next level; 0 at the highest, or where it is not told. */
export const pointsMissing = (m: Membership): number => Math.max(0, (m.next?.points ?? 0) - (m.points ?? 0))
