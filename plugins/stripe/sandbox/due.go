package sandbox

import (
	"math"
	"time"
)

// tick makes what is due happen though nobody asks.
func (s *Server) tick() {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.mu.Lock()
			s.sweep()
			s.mu.Unlock()
		case <-s.stop:
			return
		}
	}
}

// sweep makes everything happen whose time has come: sessions expire, refunds
// to fickle cards change, approvals nobody captured lapse, vouchers run out, what
// was taken is booked.
func (s *Server) sweep() {
	now := s.opts.Now().UnixMilli()
	if now < s.wake {
		return
	}
	s.wake = math.MaxInt64
	for _, cs := range s.state.Sessions.rows {
		if cs.Status == "open" && s.isDue(cs.ExpiresAt*1000, now) {
			must(s.expireSession(cs))
		}
	}
	for _, pi := range s.state.Intents.rows {
		if pi.voucher() && s.isDue(pi.VoucherEnds, now) {
			must(s.settleVoucher(pi, false))
		}
	}
	for _, r := range s.state.Refunds.rows {
		if r.Due != 0 && s.isDue(r.Due, now) {
			must(s.settleRefund(r, map[string]string{"pending": "succeeded", "succeeded": "failed"}[r.Status]))
		}
	}
	for _, ch := range s.state.Charges.rows {
		if ch.held() && s.isDue(ch.lapsesAt()*1000, now) {
			s.lapse(ch)
		}
		if ch.Books != 0 && s.isDue(ch.Books, now) {
			ch.BalanceTransaction, ch.Books = text(newID("txn_3")), 0
			s.emit("charge.updated", ch, map[string]any{"balance_transaction": nil})
		}
	}
}

// isDue tells whether a moment has come, and if not has sweep look again then.
func (s *Server) isDue(at, now int64) bool {
	if at <= now {
		return true
	}
	s.wakeAt(at)
	return false
}

func (s *Server) wakeAt(at int64) { s.wake = min(s.wake, at) }

// must is for steps whose conditions were just checked.
func must(e *apiError) {
	if e != nil {
		panic("the stand-in broke its own rule: " + e.Message)
	}
}

func (s *Server) now() int64 { return s.opts.Now().Unix() }

// due is when a refund's card changes its mind, and a debit is booked.
func (s *Server) due() int64 { return s.dueIn(s.opts.RefundDelay) }

func (s *Server) dueIn(wait time.Duration) int64 {
	at := s.opts.Now().Add(wait).UnixMilli()
	s.wakeAt(at)
	return at
}
