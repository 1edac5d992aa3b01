package payment

import (
	"fmt"
	"sort"
)

// Registry finds a provider by its name or by a method it offers.
type Registry struct {
	byName   map[string]Provider
	byMethod map[string]Provider
}

// NewRegistry makes a registry. It returns an error when two providers share a name or a method.
func NewRegistry(providers ...Provider) (*Registry, error) {
	r := &Registry{byName: map[string]Provider{}, byMethod: map[string]Provider{}}
	for _, p := range providers {
		if _, taken := r.byName[p.Name()]; taken {
			return nil, fmt.Errorf("payment provider %q is registered twice", p.Name())
		}
		r.byName[p.Name()] = p
		for _, m := range p.Methods() {
			if _, taken := r.byMethod[m]; taken {
				return nil, fmt.Errorf("payment method %q is offered twice", m)
			}
			r.byMethod[m] = p
		}
	}
	return r, nil
}

// Provider finds a provider by name.
func (r *Registry) Provider(name string) (Provider, bool) {
	p, ok := r.byName[name]
	return p, ok
}

// ForMethod finds the provider that offers a method.
func (r *Registry) ForMethod(method string) (Provider, bool) {
	p, ok := r.byMethod[method]
	return p, ok
}

// Methods lists every method on offer for a currency, sorted.
func (r *Registry) Methods(currency string) []string {
	methods := make([]string, 0, len(r.byMethod))
	for m, p := range r.byMethod {
		if p.Accepts(currency) {
			methods = append(methods, m)
		}
	}
	sort.Strings(methods)
	return methods
}
