// Package encryption seals personal data and derives the secrets of orders.
//
// A Keyring is made of master keys. The first one seals, all of them open, so
// that a key is rotated by putting a new one in front and keeping the old one
// until everything it sealed has been sealed again. Every use has a key of its
// own, derived from a master key with HKDF-SHA-256: what is learnt of one use says
// nothing about another.
//
// What must stay the same for as long as there are rows to find (blind
// indexes, order ids, fingerprints) is derived from the last key of the ring, the
// oldest. Putting a new key in front does not change it. Retiring the oldest
// key does: the blind indexes have to be computed again first, and an order
// submitted again with the same idempotency key across that day counts as new.
//
// The package knows neither SQL nor HTTP; Sealed speaks driver.Valuer and
// sql.Scanner so that nothing but ciphertext can reach a column. There is no
// global keyring: whoever opens something must have been given one.
package encryption
