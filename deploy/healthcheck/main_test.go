package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestCheck(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	address := server.Listener.Addr().String()
	for target, healthy := range map[string]bool{
		"http://" + address + "/readyz": true,
		"http://" + address + "/other":  false,
		"tcp://" + address:              true,
		"udp://" + address:              false,
		"::":                            false,
	} {
		if err := check(t.Context(), target); (err == nil) != healthy {
			t.Errorf("check(%q) = %v", target, err)
		}
	}
	server.Close()
	for _, target := range []string{"http://" + address + "/readyz", "tcp://" + address} {
		if check(t.Context(), target) == nil {
			t.Errorf("check(%q) finds a closed server healthy", target)
		}
	}
}
