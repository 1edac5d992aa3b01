package alipaytest

// Refunds lists the refunds of an id, whichever payments they are of: more than one is more than once. One that is not Done has moved no
// money yet.
func (g *Gateway) Refunds(id string) []Refund {
	g.mu.Lock()
	defer g.mu.Unlock()
	var found []Refund
	for _, t := range g.trades {
		if r := t.refunds[id]; r != nil {
			found = append(found, *r)
		}
	}
	return found
}
