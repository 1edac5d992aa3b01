// Package notify is how buyers are told what happened to their orders: what a message is made of, and
// what a channel promises. It knows nothing of databases and workflows: who is told what and when is
// decided by the outbox (package store), how often it is tried by package activities.
//
// Its adapters are [github.com/boxoffice/boxoffice/notify/smtp] for mail,
// [github.com/boxoffice/boxoffice/notify/twilio] for SMS and [github.com/boxoffice/boxoffice/notify/inbox], which
// keeps both in a folder of this machine. The words are in [github.com/boxoffice/boxoffice/notify/wording].
package notify
