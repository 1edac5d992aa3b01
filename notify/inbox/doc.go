// Package inbox keeps mails and SMS in a folder of this machine and shows them in a browser: what `make run` uses
// instead of carriers, so that everything a buyer would be told can be read.
//
// It delivers nothing to anybody, and its pages are for whoever runs the machine: they show personal data and ask for no
// password. Serve them on a loopback address only.
package inbox
