// Package config reads the environment into one validated struct.
//
// Every mistake is reported at once, each naming its variable and saying what
// to write instead; the value of a secret is never repeated. The package
// knows what the parts need to be told, not what they do with it.
package config
