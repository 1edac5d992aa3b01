package api

// Idle says that no captured money waits for its delivery.
func (s *Server) Idle() bool {
	d := s.deliveries
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open == 0
}
