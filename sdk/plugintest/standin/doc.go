// Package standin holds what every provider's stand-in shares: faults on the
// way in, callbacks on the way out, neutral books, a log of requests, the doors
// a test uses to reach all of these, and the look of the hosted pages.
//
// A stand-in is a stateful fake of a provider's API. It exists so that the hub,
// its plugins and a newcomer can meet a whole payment, with its losses and
// repetitions, without an account anywhere. It trusts whoever can reach it and
// must only ever listen on loopback.
package standin
