// Package judge lets others judge the simulated gateway and the adapter: a
// merchant written for Node.js with nothing but its own crypto, and the
// openssl command. There is no Node.js library of UnionPay's for its gateway,
// so neither needs a package to be installed.
package judge
