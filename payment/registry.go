package payment

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Account is a merchant's account at a gateway. An organiser may bring one of their own; the
// house's serves everybody who has none for a method.
type Account struct {
	Provider
	// OrganiserID is whose account it is; empty for the house's.
	OrganiserID string
}

// Registry finds an account by its provider's name, or by who sells and the method the buyer chose.
type Registry struct {
	byName   map[string]Provider
	byMethod map[choice]Provider
	methods  []string // all there are, sorted
	own      map[string]bool
}

// choice is a method of one organiser's account, or of the house's.
type choice struct{ organiserID, method string }

// NewRegistry makes a registry of the house's accounts at gateways.
// It returns an error when two share a name or a method.
func NewRegistry(providers ...Provider) (*Registry, error) {
	accounts := make([]Account, len(providers))
	for i, p := range providers {
		accounts[i] = Account{Provider: p}
	}
	return NewAccounts(accounts...)
}

// NewAccounts makes a registry of accounts of the house and of organisers.
// It returns an error when two share a name, or a method of the same owner.
func NewAccounts(accounts ...Account) (*Registry, error) {
	r := &Registry{byName: map[string]Provider{}, byMethod: map[choice]Provider{}, own: map[string]bool{}}
	for _, a := range accounts {
		if _, taken := r.byName[a.Name()]; taken {
			return nil, fmt.Errorf("payment provider %q is registered twice", a.Name())
		}
		r.byName[a.Name()] = a.Provider
		for _, m := range a.Methods() {
			c := choice{a.OrganiserID, m}
			if _, taken := r.byMethod[c]; taken {
				return nil, fmt.Errorf("payment method %q is offered twice", m)
			}
			r.byMethod[c] = a.Provider
			r.own[m] = r.own[m] || a.OrganiserID != ""
			r.methods = append(r.methods, m)
		}
	}
	slices.Sort(r.methods)
	r.methods = slices.Compact(r.methods)
	return r, nil
}

// Provider finds a provider by name.
func (r *Registry) Provider(name string) (Provider, bool) {
	p, ok := r.byName[name]
	return p, ok
}

// Providers lists every provider by name.
func (r *Registry) Providers() []Provider {
	all := slices.Collect(maps.Values(r.byName))
	slices.SortFunc(all, func(a, b Provider) int { return strings.Compare(a.Name(), b.Name()) })
	return all
}

// ForMethod finds the account that takes a method's payments for an organiser: their own, else the house's.
func (r *Registry) ForMethod(organiserID, method string) (Provider, bool) {
	if p, ok := r.byMethod[choice{organiserID, method}]; ok {
		return p, true
	}
	p, ok := r.byMethod[choice{"", method}]
	return p, ok
}

// Depends says whether it depends on the organiser which account takes a method's payments.
func (r *Registry) Depends(method string) bool { return r.own[method] }

// Methods lists every method an organiser's buyers can pay a currency by, sorted.
func (r *Registry) Methods(organiserID, currency string) []string {
	methods := make([]string, 0, len(r.methods))
	for _, m := range r.methods {
		if p, ok := r.ForMethod(organiserID, m); ok && p.Accepts(currency) {
			methods = append(methods, m)
		}
	}
	return methods
}
