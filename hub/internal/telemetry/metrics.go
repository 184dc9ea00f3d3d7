package telemetry

import (
	"database/sql"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// NewMetrics is the hub's registry, with what the Go runtime and the operating
// system know of the process.
func NewMetrics() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
	)
	return r
}

// ClockSkew measures how far this machine's clock is ahead of the database's.
func ClockSkew(skew func() time.Duration) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "superpay_clock_skew_seconds", Help: "How far this machine's clock was ahead of the database's when they were last compared.",
	}, func() float64 { return skew().Seconds() })
}

// DBPool measures a pool of database connections. A pool that is used up is
// the usual reason for a slow hub.
func DBPool(stats func() sql.DBStats) prometheus.Collector {
	p := &dbPool{stats: stats}
	add := func(name, help string, t prometheus.ValueType, value func(sql.DBStats) float64) {
		desc := prometheus.NewDesc("superpay_db_"+name, help, nil, nil)
		p.rows = append(p.rows, poolRow{desc, t, value})
	}
	gauge, counter := prometheus.GaugeValue, prometheus.CounterValue
	add("max_connections", "Most connections that may be open.", gauge, func(s sql.DBStats) float64 { return float64(s.MaxOpenConnections) })
	add("open_connections", "Connections that are open.", gauge, func(s sql.DBStats) float64 { return float64(s.OpenConnections) })
	add("used_connections", "Connections that are in use.", gauge, func(s sql.DBStats) float64 { return float64(s.InUse) })
	add("waits_total", "How often a connection was waited for.", counter, func(s sql.DBStats) float64 { return float64(s.WaitCount) })
	add("wait_seconds_total", "How long connections were waited for.", counter, func(s sql.DBStats) float64 { return s.WaitDuration.Seconds() })
	return p
}

type dbPool struct {
	stats func() sql.DBStats
	rows  []poolRow
}

type poolRow struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(sql.DBStats) float64
}

func (p *dbPool) Describe(out chan<- *prometheus.Desc) {
	for _, r := range p.rows {
		out <- r.desc
	}
}

func (p *dbPool) Collect(out chan<- prometheus.Metric) {
	s := p.stats()
	for _, r := range p.rows {
		out <- prometheus.MustNewConstMetric(r.desc, r.kind, r.value(s))
	}
}
