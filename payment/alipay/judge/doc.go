// Package judge lets somebody else judge the stand-in and the adapter: Alipay's own library for Node.js takes payments there,
// gives them back, reads the bill, and verifies what both of them sign.
package judge
