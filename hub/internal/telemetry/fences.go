package telemetry

import "github.com/prometheus/client_golang/prometheus"

// Fences tells of each provider whether its money-out is closed, because history
// was lost: 1 while it is.
func Fences(closed func() map[string]bool) prometheus.Collector {
	return &fences{
		closed: closed,
		desc:   prometheus.NewDesc("superpay_fence_closed", "Whether money-out of a provider's account is closed, because history was lost.", []string{"provider"}, nil),
	}
}

type fences struct {
	closed func() map[string]bool
	desc   *prometheus.Desc
}

func (f *fences) Describe(out chan<- *prometheus.Desc) { out <- f.desc }

func (f *fences) Collect(out chan<- prometheus.Metric) {
	for provider, closed := range f.closed() {
		value := 0.0
		if closed {
			value = 1
		}
		out <- prometheus.MustNewConstMetric(f.desc, prometheus.GaugeValue, value, provider)
	}
}
