package devpg

// Disown frees the folder while the server runs on, as when its owner died without taking it along.
func Disown(s *Server) { s.release.Do(func() { _ = s.lock.Close() }) }
