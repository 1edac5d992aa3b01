import type { Membership } from '../api/types'
import { codeOf } from '../api/problem'
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

/** How many points are missing to the next level; 0 at the highest, or where it is not told. */
export const pointsMissing = (m: Membership): number => Math.max(0, (m.next?.points ?? 0) - (m.points ?? 0))
