//go:build !race

package dev

// RaceBuilt says that this program was built for the race detector.
const RaceBuilt = false
