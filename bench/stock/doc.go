// Command stock measures how fast tickets can be taken, beside the least that taking them can cost, and what it costs to
// show many people how many are left.
//
//   - seats: a hold of the best two seats side by side of an arena, and of two chosen ones that others want too, beside a
//     hold of two tickets without seats.
//   - hot: everybody wants the same ticket type. store.Hold beside pgbench, which sends the very statement of a hold.
//   - locks: a guarded statement, a lock and a version column beside each other, on one bare row.
//   - streams: what a session has free, sent to 1, 100 and 1,000 viewers over connections of their own.
//
// It needs a PostgreSQL of its own, which it starts, and no Temporal. Everything is a ratio: those compared take turns on
// one server within one run, in one order and then in the opposite one.
package main
