package chaos

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// TestPlan_WhatOnlyACallbackNamesIsNotLost: of a payment that the payer's browser
// made, a hub that nobody tells of it knows no name to read it by.
func TestPlan_WhatOnlyACallbackNamesIsNotLost(t *testing.T) {
	lost := 0
	for n := range 5000 {
		p := planOf(Options{Seed: 1, Rate: 0.3, Every: 80}, n+1)
		if p.callbacks == nil || p.callbacks.Action != standin.Lose {
			continue
		}
		lost++
		require.NotEqual(t, "client", p.way.flow, n+1)
		require.NotEqual(t, "client", p.other.flow, n+1)
	}
	require.Positive(t, lost)
}
