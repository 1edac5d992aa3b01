/** An organiser's membership. */
export default {
  member: {
    code: 'Member code',
    use: 'Apply',
    hint: '{name}: your code is in the mail of an earlier order. Order with the same mail address.',
    join: 'Join {name} with this order',
    join_hint: 'It is free: what you pay for tickets makes points, and points make levels. Your member code comes with the confirmation.',
    member: 'Member of {name}',
    level: '{name}, {level}',
    remove: 'Leave the code out',
    early: 'Members may buy these tickets before the sale begins for all.',
    early_wrong: 'This code does not open any of these tickets yet.',
    early_from: 'For members from {at} at the earliest',
    early_open: 'Open to you as a member',
    earned: 'No points from this order | One point from this order | {n} points from this order',
    points: 'No points in all | One point in all | {n} points in all',
    reached: 'Your level: {level}',
    missing: 'At the next level, {level} | One more point to the next level, {level} | {n} more points to the next level, {level}',
    your_code: 'Your member code',
    kept: 'This device remembers it for your next order with this mail address.',
    by_mail: 'Your member code is in the mail that confirms this order.',
  },
}
