// Package twilio hands SMS to Twilio's Messages API (2010-04-01), through twilio-go.
//
// The API knows no idempotency key: a message that is posted twice is sent twice. So a hand-over is one HTTP request, whatever
// twilio-go would do about an answer it cannot read; one whose outcome is not known is looked for by recipient, text and time before
// it may be sent again. Twilio's statuses 5xx count as unknown, since nothing says that they come before the message was created.
// Nothing more certain can be had: the address for status callbacks could carry a message's id, but is not told again. So two
// messages of ours to one number with the same text within a minute count as one if the outcome of the later is unknown: as they
// tell the same thing, the buyer is told once too seldom rather than twice. Ours name their order, so that this concerns campaigns only.
//
// For that the account must keep numbers and texts: one that redacts numbers lists no message by its recipient, and a message
// would be sent again that had been sent.
//
// What became of a message is told by signed status callbacks, which come in any order. Nothing here knows what came before: that is
// for whoever keeps them.
//
// How many SMS a number gets in a day is not counted here, but where messages are kept.
//
// Only rest/api/v2010 and client of twilio-go are imported: its root package is a minute of compiling.
package twilio
