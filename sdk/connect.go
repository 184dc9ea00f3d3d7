package sdk

import "context"

// Connector looks after what stands at the provider: whether the credentials work
// and may do what the plugin asks for, and the endpoint (webhook) by which the
// provider calls the hub. It is optional; Description.Connects says that it is there.
//
// It needs no Configure before it, and changes nothing of what that was given: the
// settings to look at come with each call. A person starts it with Repair, by
// `hub provider connect` or in the console; the hub itself only looks, when a
// provider comes up.
type Connector interface {
	// Connect looks, and with Repair makes right what it may. It is safe to repeat
	// at any point: its answer may be lost, so what an earlier one made is found
	// again or replaced, and nothing is left twice.
	//
	// What is wrong at the provider is a Finding, not an error. Errors:
	// *SettingsError where a setting's form is to blame; any other where the
	// provider could not be asked.
	Connect(ctx context.Context, r ConnectRequest) (*Connection, error)
}

// ConnectRequest are the settings that are looked at, as Configure has them; those
// whose Field says FromConnect may be missing.
type ConnectRequest struct {
	Settings Settings
	// Callback is the hub's address for this provider's callbacks; empty if the hub
	// was not told its own.
	Callback string
	// Repair allows changes: to make the endpoint, or to correct its address, events
	// and version. Without it nothing is changed.
	Repair bool
}

// Connection is what Connect found.
type Connection struct {
	// Findings are all that was looked at, good and bad, in the order in which a
	// person would mend them.
	Findings []Finding
	// Settings are to be kept from now on: the endpoint's secret, or its id. Only
	// fields that say FromConnect; none if nothing changes.
	Settings Settings
}

// Finding is one thing that was looked at.
type Finding struct {
	Subject string // what it is about: FindingCredentials, FindingPermission, FindingEndpoint
	OK      bool
	// Text says for people what is so, and where it is wrong what to do, in one or
	// two sentences, without a secret.
	Text string
}

// What a Finding is about.
const (
	FindingCredentials = "credentials" // whether the provider takes them
	FindingPermission  = "permission"  // what they may do there
	FindingEndpoint    = "endpoint"    // by which the provider calls the hub
)
