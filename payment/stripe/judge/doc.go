// Package judge lets somebody else judge the stand-in: Stripe's own library for Node.js takes payments there, gives them back, and
// verifies what it signs.
package judge
