package console

import (
	"fmt"
	"html/template"
	"time"
)

// Time is a moment for a list, in the reader's zone: the hour today, the day
// this year, the whole date before.
func (p *page) Time(t any) template.HTML {
	return p.moment(t, func(t time.Time) string {
		now := p.Now.In(p.Zone)
		switch {
		case t.Year() == now.Year() && t.YearDay() == now.YearDay():
			return t.Format("15:04:05")
		case t.Year() == now.Year():
			return p.dayMonth(t) + t.Format(" 15:04")
		}
		return p.Date(t) + t.Format(" 15:04")
	})
}

// TimeFull is the date and the second.
func (p *page) TimeFull(t any) template.HTML {
	return p.moment(t, func(t time.Time) string { return p.Date(t) + t.Format(" 15:04:05") })
}

// TimeExact is the hour to the millisecond, for a timeline.
func (p *page) TimeExact(t any) template.HTML {
	return p.moment(t, func(t time.Time) string { return t.Format("15:04:05.000") })
}

// Date is the day alone, in the reader's zone.
func (p *page) Date(t time.Time) string {
	t = t.In(p.Zone)
	if p.Lang == "zh" {
		return t.Format("2006年1月2日")
	}
	return t.Format("2 Jan 2006")
}

func (p *page) dayMonth(t time.Time) string {
	if p.Lang == "zh" {
		return t.Format("1月2日")
	}
	return t.Format("2 Jan")
}

// moment writes a time.Time or *time.Time; a dash for none.
func (p *page) moment(value any, format func(time.Time) string) template.HTML {
	var at time.Time
	switch v := value.(type) {
	case time.Time:
		at = v
	case *time.Time:
		if v != nil {
			at = *v
		}
	}
	if at.IsZero() {
		return "–"
	}
	return template.HTML(fmt.Sprintf(`<time datetime="%s" title="%s">%s</time>`,
		at.UTC().Format(time.RFC3339Nano), at.UTC().Format("2006-01-02 15:04:05.000 UTC"), format(at.In(p.Zone))))
}

// Ago is how long ago, or how far ahead, in words. It stands beside a time,
// never alone.
func (p *page) Ago(value any) string {
	var at time.Time
	switch v := value.(type) {
	case time.Time:
		at = v
	case *time.Time:
		if v != nil {
			at = *v
		}
	}
	if at.IsZero() {
		return ""
	}
	ahead, d := at.After(p.Now), p.Now.Sub(at).Abs()
	unit, n := "days", int(d/(24*time.Hour))
	switch {
	case d < 10*time.Second:
		return p.T("ago.now")
	case d < time.Minute:
		unit, n = "seconds", int(d/time.Second)
	case d < time.Hour:
		unit, n = "minutes", int(d/time.Minute)
	case d < 48*time.Hour:
		unit, n = "hours", int(d/time.Hour)
	}
	if ahead {
		return p.T("ago.in", p.T("ago."+unit, n))
	}
	return p.T("ago.ago", p.T("ago."+unit, n))
}

// ZoneName says which zone times are in: "Asia/Shanghai (UTC+8)".
func (p *page) ZoneName() string {
	name := p.Zone.String()
	if name == "UTC" {
		return name
	}
	_, offset := p.Now.In(p.Zone).Zone()
	sign := "+"
	if offset < 0 {
		sign, offset = "\u2212", -offset
	}
	if minutes := offset / 60 % 60; minutes != 0 {
		return fmt.Sprintf("%s (UTC%s%d:%02d)", name, sign, offset/3600, minutes)
	}
	return fmt.Sprintf("%s (UTC%s%d)", name, sign, offset/3600)
}
