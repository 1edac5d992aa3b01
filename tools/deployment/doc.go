// Package deployment holds tests that what deploy/ and docker-compose.yml say
// is what the code wants: there is nothing here to import. It must not know
// the product's packages, only their files.
package deployment
