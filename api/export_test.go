package api

// Idle says that no captured money waits for its delivery.
func (s *Server) Idle() bool {
	d := s.deliveries
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open == 0
}

// NearlyBusy is a load that one more to be waited for makes busy.
func NearlyBusy() *Load {
	l := &Load{}
	l.waited.Store(busyFrom - 1)
	return l
}
