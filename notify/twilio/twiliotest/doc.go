// Package twiliotest is a stand-in for Twilio's Messages API on this machine, for tests and programs: it keeps what it is given,
// authenticates as Twilio does, holds requests and its own answers against Twilio's published OpenAPI document where it is
// given that, says what became of messages by signed callbacks, and has the faults of the real one.
package twiliotest
