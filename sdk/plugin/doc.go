// Package plugin carries package sdk over gRPC, both ways: Serve is all that a
// plugin's main needs, and Client is that plugin as the hub sees it.
//
// Nothing but this package knows the wire; what a plugin's author and the hub
// see are the Go types of package sdk and its error values.
package plugin

//go:generate protoc -I ../.. --go_out=../.. --go_opt=module=github.com/superpayhub/superpay --go-grpc_out=../.. --go-grpc_opt=module=github.com/superpayhub/superpay sdk/plugin/provider.proto
