package stripetest

import (
	"slices"
	"strconv"
	"strings"
)

// listRules are what every list takes, and filters.
func listRules(filters ...string) rules {
	r := rules{
		"limit": {check: integer(1, 100)}, "starting_after": {check: upTo(5000)}, "ending_before": {check: upTo(5000)}, "expand[]": {},
	}
	for _, filter := range filters {
		if filter != "created" {
			r[filter] = rule{check: upTo(5000)}
			continue
		}
		for _, bound := range []string{"created", "created[gt]", "created[gte]", "created[lt]", "created[lte]"} {
			r[bound] = rule{check: integer(0, 1<<40)}
		}
	}
	return r
}

// list answers with a page of what was created, the newest first.
func list[T any](p params, address string, all []T, key func(T) (string, int64), wanted func(T) bool, show func(T, []string) object) (any, *refusal) {
	limit := 10
	if p["limit"] != "" {
		limit, _ = strconv.Atoi(p["limit"])
	}
	if p["starting_after"] != "" && p["ending_before"] != "" {
		return nil, invalid("ending_before", "You can only specify one of starting_after and ending_before.")
	}
	var expand []string
	for _, path := range p.list("expand") {
		below, ok := strings.CutPrefix(path, "data.")
		if !ok {
			return nil, invalid("expand", "This property cannot be expanded (%s).", path)
		}
		expand = append(expand, below)
	}
	kept := []T{}
	began := p["starting_after"] == ""
	for _, one := range slices.Backward(all) { // they were appended as they were created
		id, created := key(one)
		if !within(p, created) || !wanted(one) {
			began = began || id == p["starting_after"]
			continue
		}
		if id == p["ending_before"] {
			break
		}
		if began {
			kept = append(kept, one)
		}
		began = began || id == p["starting_after"]
	}
	if !began {
		return nil, missing("object", p["starting_after"])
	}
	more := len(kept) > limit
	switch {
	case more && p["ending_before"] != "":
		kept = kept[len(kept)-limit:]
	case more:
		kept = kept[:limit]
	}
	data := []any{}
	for _, one := range kept {
		data = append(data, show(one, expand))
	}
	return object{"object": "list", "url": address, "has_more": more, "data": data}, nil
}

func within(p params, created int64) bool {
	for name, ok := range map[string]func(bound int64) bool{
		"created":      func(b int64) bool { return created == b },
		"created[gt]":  func(b int64) bool { return created > b },
		"created[gte]": func(b int64) bool { return created >= b },
		"created[lt]":  func(b int64) bool { return created < b },
		"created[lte]": func(b int64) bool { return created <= b },
	} {
		if p[name] != "" && !ok(p.number(name)) {
			return false
		}
	}
	return true
}

func (g *Gateway) listMovements(p params, _ string) (any, *refusal) {
	if g.faults.TruncateBill {
		p["limit"] = "1"
	}
	said, refused := list(p, "/v1/balance_transactions", g.movements,
		func(m *movement) (string, int64) { return m.ID, m.Created },
		func(m *movement) bool {
			return (p["type"] == "" || p["type"] == m.Type) && (p["currency"] == "" || p["currency"] == m.Currency) &&
				(p["source"] == "" || p["source"] == sourceID(m.Source))
		},
		func(m *movement, expand []string) object { return g.showMovement(m, expand) })
	if page, ok := said.(object); ok && g.faults.TruncateBill {
		page["has_more"] = true
		if p["starting_after"] != "" {
			page["data"] = []any{}
		}
	}
	return said, refused
}
