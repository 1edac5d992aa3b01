// Package smtp hands mails to a mail server (RFC 5321), through go-mail.
//
// The server cannot be asked later whether it has a mail. So what matters is to know at which step a hand-over broke: before
// the end of the data was sent the server certainly does not have it; after that, without its answer, nobody knows.
//
// Mails are about a purchase its recipient has made: they have no List-Unsubscribe, which is for mails one may do
// without, and say Auto-Submitted so that no machine answers them.
package smtp
