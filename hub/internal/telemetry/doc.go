// Package telemetry is the hub's log and metrics. What is secret reaches
// neither: the log is scrubbed after it is rendered, so that no type, wrapper
// or careless message gets past.
package telemetry
