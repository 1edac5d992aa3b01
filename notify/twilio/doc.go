// Package twilio hands SMS to Twilio's Messages API (2010-04-01), through twilio-go.
//
// The API knows no idempotency key: a message that is posted twice is sent twice. So a hand-over is one HTTP request, whatever
// twilio-go would do about an answer it cannot read; one whose outcome is not known is looked for by recipient, time and text
// before it may be sent again. Two messages of ours to one number with the same text within minutes tell the same thing, so
// that one of them found counts for the other: the buyer is told once too seldom rather than twice.
//
// What became of a message is told by signed status callbacks, which come in any order.
//
// Only rest/api/v2010 and client of twilio-go are imported: its root package is a minute of compiling.
package twilio
