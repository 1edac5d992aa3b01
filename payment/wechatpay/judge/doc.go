// Package judge lets somebody else judge the stand-in and the adapter: a library for Node.js that merchants of WeChat Pay use takes
// payments there, gives them back, reads the bill, verifies what both of them sign and opens what the stand-in seals.
package judge
