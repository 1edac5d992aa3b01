// Package architecture holds a test that what docs/architecture.md says of
// imports is what .golangci.yml enforces: there is nothing here to import. It
// must not know the product's packages, only their files.
package architecture
