//go:build !race

package dev

const raceBuilt = false
