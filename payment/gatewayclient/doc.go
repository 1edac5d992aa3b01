// Package gatewayclient is what adapters of gateways need before any protocol begins: a client that sends signed requests nowhere
// else and reads no answer without end, RSA keys from files, and a name.
//
// It knows neither money nor any gateway. What only one adapter needs belongs there.
package gatewayclient
